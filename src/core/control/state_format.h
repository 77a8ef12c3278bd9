// The bytes of a state file: what a device remembers across restarts (protocol::DeviceMemory).
//
//   "FERRULE\n", version, size of a record, time of writing, identity, reserved stamp   kStateHeaderSize
//   a record a peer                                                                     kStateRecordSize
//   BLAKE2s of all that                                                                 kStateTrailerSize
//
// Numbers are little-endian, stamps as on the wire; what a record lacks is zero. No secrets are in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "base/bytes.h"
#include "crypto/blake2s.h"
#include "protocol/configuration.h"

namespace ferrule::control {

constexpr std::size_t kStateHeaderSize = 68;
constexpr std::size_t kStateRecordSize = 104;
constexpr std::size_t kStateTrailerSize = crypto::kHashSize;
/// The largest that is read: as many peers as a device can have.
[[nodiscard]] std::size_t max_state_size() noexcept;

struct State {
  std::int64_t written_s = 0;  // on the wall clock
  protocol::DeviceMemory memory;
};

/// What is wrong with a file, in words: "it is torn".
using StateFault = std::string_view;

/// Reads a whole file. Nothing of it is believed unless all of it holds.
[[nodiscard]] std::expected<State, StateFault> read_state(Bytes file);

using StateHeader = std::array<std::uint8_t, kStateHeaderSize>;
using StateRecord = std::array<std::uint8_t, kStateRecordSize>;
/// The header of a file; the peers of `state` are not looked at.
[[nodiscard]] StateHeader state_header(const State& state) noexcept;
[[nodiscard]] StateRecord state_record(const protocol::PeerMemory& peer) noexcept;

}  // namespace ferrule::control
