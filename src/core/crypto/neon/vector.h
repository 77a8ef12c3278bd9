// 16 bytes in a register.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/neon/target.h"

namespace ferrule::crypto::neon {

using Vec = uint32x4_t;

constexpr std::size_t kVecSize = sizeof(Vec);

/// Words in a vector: a lane each.
constexpr unsigned kLanes = 4;

FERRULE_VECTOR_INLINE Vec load(const void* from) noexcept {
  return vreinterpretq_u32_u8(vld1q_u8(static_cast<const std::uint8_t*>(from)));
}

FERRULE_VECTOR_INLINE void store(void* to, Vec value) noexcept {
  vst1q_u8(static_cast<std::uint8_t*>(to), vreinterpretq_u8_u32(value));
}

/// `word` in each of the four lanes.
FERRULE_VECTOR_INLINE Vec broadcast(std::uint32_t word) noexcept { return vdupq_n_u32(word); }

/// `word` in the first lane, and one more in each that follows.
FERRULE_VECTOR_INLINE Vec counting_from(std::uint32_t word) noexcept {
  return vaddq_u32(Vec{0, 1, 2, 3}, broadcast(word));
}

/// Adds words, lane by lane.
FERRULE_VECTOR_INLINE Vec sum(Vec a, Vec b) noexcept { return vaddq_u32(a, b); }

/// All ones in the lanes from `lane` on, zeros in those below.
FERRULE_VECTOR_INLINE Vec lanes_from(unsigned lane) noexcept {
  return vcgeq_u32(Vec{0, 1, 2, 3}, broadcast(lane));
}

/// The lanes of `yes` where `which` is all ones, those of `no` elsewhere.
FERRULE_VECTOR_INLINE Vec select(Vec which, Vec yes, Vec no) noexcept {
  return vbslq_u32(which, yes, no);
}

}  // namespace ferrule::crypto::neon
