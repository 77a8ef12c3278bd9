// 32 bytes in a register.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx2/target.h"

namespace ferrule::crypto::avx2 {

using Vec = __m256i;

constexpr std::size_t kVecSize = sizeof(Vec);

/// Words in a vector: a lane each.
constexpr unsigned kLanes = 8;

FERRULE_VECTOR_INLINE Vec load(const void* from) noexcept {
  return _mm256_loadu_si256(static_cast<const Vec*>(from));
}

FERRULE_VECTOR_INLINE void store(void* to, Vec value) noexcept {
  _mm256_storeu_si256(static_cast<Vec*>(to), value);
}

/// `word` in each of the eight lanes.
FERRULE_VECTOR_INLINE Vec broadcast(std::uint32_t word) noexcept {
  return _mm256_set1_epi32(static_cast<int>(word));
}

/// `word` in the first lane, and one more in each that follows.
FERRULE_VECTOR_INLINE Vec counting_from(std::uint32_t word) noexcept {
  return _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), broadcast(word));
}

/// Adds words, lane by lane.
FERRULE_VECTOR_INLINE Vec sum(Vec a, Vec b) noexcept { return _mm256_add_epi32(a, b); }

/// All ones in the lanes from `lane` on, zeros in those below.
FERRULE_VECTOR_INLINE Vec lanes_from(unsigned lane) noexcept {
  const Vec places = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 8);
  return _mm256_cmpgt_epi32(places, broadcast(lane));
}

/// The lanes of `yes` where `which` is all ones, those of `no` elsewhere.
FERRULE_VECTOR_INLINE Vec select(Vec which, Vec yes, Vec no) noexcept {
  return _mm256_blendv_epi8(no, yes, which);
}

}  // namespace ferrule::crypto::avx2
