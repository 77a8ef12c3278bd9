// Inner packets with a number, so that each can be told from every other where it arrives.
#pragma once

#include <cstdint>
#include <optional>

#include "base/net.h"
#include "sim/datagram.h"

namespace ferrule::sim {

struct InnerPacket {
  std::uint64_t number = 0;
  IpAddress source;
  IpAddress destination;  // of the same family
  std::size_t size = 0;   // of all of it; made larger where it would not hold the number
  std::uint8_t traffic_class = 0;
};

[[nodiscard]] Packet make_packet(const InnerPacket& packet);
/// The number in a packet that make_packet may have made.
[[nodiscard]] std::optional<std::uint64_t> number_of(Bytes packet) noexcept;
/// A digest of the packet, but for what ECN may change on the way (P76).
[[nodiscard]] std::uint64_t digest_of(Bytes packet);

}  // namespace ferrule::sim
