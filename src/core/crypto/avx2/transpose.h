// Turning rows of words into blocks.
#pragma once

#include "crypto/avx2/vector.h"

namespace ferrule::crypto::avx2 {

/// Transposes the 4x4 words in each half: afterwards half h of `a` holds word 4h of a, b,
/// c and d as they were, that of `b` word 4h + 1, and so on.
FERRULE_VECTOR_INLINE void transpose_words_in_halves(Vec& a, Vec& b, Vec& c, Vec& d) noexcept {
  const Vec ab_low = _mm256_unpacklo_epi32(a, b);
  const Vec ab_high = _mm256_unpackhi_epi32(a, b);
  const Vec cd_low = _mm256_unpacklo_epi32(c, d);
  const Vec cd_high = _mm256_unpackhi_epi32(c, d);
  a = _mm256_unpacklo_epi64(ab_low, cd_low);
  b = _mm256_unpackhi_epi64(ab_low, cd_low);
  c = _mm256_unpacklo_epi64(ab_high, cd_high);
  d = _mm256_unpackhi_epi64(ab_high, cd_high);
}

/// Afterwards `a` holds the lower halves of a and b as they were, `b` the upper ones.
FERRULE_VECTOR_INLINE void transpose_halves(Vec& a, Vec& b) noexcept {
  const Vec low = _mm256_permute2x128_si256(a, b, 0x20);
  b = _mm256_permute2x128_si256(a, b, 0x31);
  a = low;
}

/// Transposes 8x8 words: word j of row i and word i of row j change places.
FERRULE_VECTOR_INLINE void transpose(Vec (&x)[kLanes]) noexcept {
  transpose_words_in_halves(x[0], x[1], x[2], x[3]);
  transpose_words_in_halves(x[4], x[5], x[6], x[7]);
  transpose_halves(x[0], x[4]);
  transpose_halves(x[1], x[5]);
  transpose_halves(x[2], x[6]);
  transpose_halves(x[3], x[7]);
}

}  // namespace ferrule::crypto::avx2
