// What backends ask of packets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "crypto/aead.h"

namespace ferrule::crypto::batch {

/// Whether all packets point to one key.
inline bool share_a_key(std::span<const AeadPacket> packets) noexcept {
  return std::ranges::all_of(
      packets, [&](const AeadPacket& packet) { return packet.key == packets[0].key; });
}

/// Whether a packet came with this tag, given as two little-endian words. Takes the same time
/// wherever they differ.
inline bool has_tag(const AeadPacket& packet, std::uint64_t low, std::uint64_t high) noexcept {
  std::uint64_t received[2];
  std::memcpy(received, packet.data + packet.size, kTagSize);
  return ((received[0] ^ low) | (received[1] ^ high)) == 0;
}

}  // namespace ferrule::crypto::batch
