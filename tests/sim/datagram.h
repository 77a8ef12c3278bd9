// What the simulated network carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/net.h"
#include "protocol/messages.h"

namespace ferrule::sim {

using Packet = std::vector<std::uint8_t>;
using HostId = std::size_t;
constexpr HostId kNobody = SIZE_MAX;  // the attacker, who is everywhere

struct Datagram {
  Endpoint from;
  Endpoint to;
  std::uint8_t traffic_class = 0;
  Packet bytes;

  // What only the simulation knows.
  HostId author = kNobody;  // who made the bytes
  bool altered = false;     // they are no longer what the author made
  bool injected = false;    // it is not the author who sent them now

  /// Made by somebody who holds a key, and whole.
  [[nodiscard]] bool genuine() const noexcept { return author != kNobody && !altered; }
  [[nodiscard]] std::uint8_t type() const noexcept { return bytes.empty() ? 0 : bytes[0]; }
  /// The sender's or the receiver's index, which both stand behind the type.
  [[nodiscard]] std::uint32_t first_index() const noexcept { return load_le32(bytes.data() + 4); }
};

}  // namespace ferrule::sim
