// Poly1305 (RFC 8439 §2.5) of messages as the AEAD makes them when there is no associated data: the
// ciphertext, zeros up to a multiple of 16, and a block with the lengths.
//
// Two ways to the same tags. Side by side: a lane is a message, and eight messages of about the same
// length go in step. Alone: the lanes are eight blocks of one message, each with its power of r.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/avx512/field.h"

namespace ferrule::crypto::avx512 {

constexpr std::size_t kPolyBlockSize = 16;
constexpr std::size_t kPolyLanes = 8;

/// One message. An absent one has blocks = 0, an empty one blocks = 1.
struct PolyMessage {
  const std::uint8_t* data;
  std::size_t size;

  /// How many blocks the tag is made of.
  [[nodiscard]] constexpr std::size_t blocks() const noexcept {
    return (size + kPolyBlockSize - 1) / kPolyBlockSize + 1;
  }
};

/// The one-time keys of eight messages, a message a lane; r is clamped.
struct OneTimeKeys {
  Vec r_low, r_high;
  Vec s_low, s_high;
};

/// Takes them from the first 32 bytes of eight blocks of key stream, the blocks of counter zero.
FERRULE_AVX512 void one_time_keys(const std::uint8_t (*blocks)[64], OneTimeKeys& keys) noexcept;

/// The tags of eight messages, as they are on the wire.
struct Tags {
  alignas(kVecSize) std::uint64_t word[kPolyLanes][2];
};

/// The tags of up to eight messages. Those of lanes without a message are of no use.
FERRULE_AVX512 void authenticate(std::span<const PolyMessage> messages, const OneTimeKeys& keys,
                                 Tags& tags) noexcept;

// The two ways, for tests: each gives the polynomial's value at r, a message a lane.
FERRULE_AVX512 Element evaluate_side_by_side(std::span<const PolyMessage> messages,
                                             const OneTimeKeys& keys) noexcept;
FERRULE_AVX512 Element evaluate_each_alone(std::span<const PolyMessage> messages,
                                           const OneTimeKeys& keys) noexcept;

}  // namespace ferrule::crypto::avx512
