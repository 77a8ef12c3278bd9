// Turning vectors of words into vectors of blocks, and rows of packets into words across packets.
#pragma once

#include "crypto/avx512/vector.h"

namespace ferrule::crypto::avx512 {

/// Transposes the 4x4 doublewords in each 128-bit quarter: afterwards quarter q of `a` holds
/// doubleword 4q of a, b, c and d as they were, that of `b` doubleword 4q + 1, and so on.
FERRULE_AVX512_INLINE void transpose_doublewords_in_quarters(Vec& a, Vec& b, Vec& c,
                                                             Vec& d) noexcept {
  const Vec ab_low = _mm512_unpacklo_epi32(a, b);
  const Vec ab_high = _mm512_unpackhi_epi32(a, b);
  const Vec cd_low = _mm512_unpacklo_epi32(c, d);
  const Vec cd_high = _mm512_unpackhi_epi32(c, d);
  a = _mm512_unpacklo_epi64(ab_low, cd_low);
  b = _mm512_unpackhi_epi64(ab_low, cd_low);
  c = _mm512_unpacklo_epi64(ab_high, cd_high);
  d = _mm512_unpackhi_epi64(ab_high, cd_high);
}

/// Transposes the 4x4 quarters: afterwards `a` holds quarter 0 of a, b, c and d as they were.
FERRULE_AVX512_INLINE void transpose_quarters(Vec& a, Vec& b, Vec& c, Vec& d) noexcept {
  const Vec ab_low = _mm512_shuffle_i32x4(a, b, 0x44);
  const Vec ab_high = _mm512_shuffle_i32x4(a, b, 0xee);
  const Vec cd_low = _mm512_shuffle_i32x4(c, d, 0x44);
  const Vec cd_high = _mm512_shuffle_i32x4(c, d, 0xee);
  a = _mm512_shuffle_i32x4(ab_low, cd_low, 0x88);
  b = _mm512_shuffle_i32x4(ab_low, cd_low, 0xdd);
  c = _mm512_shuffle_i32x4(ab_high, cd_high, 0x88);
  d = _mm512_shuffle_i32x4(ab_high, cd_high, 0xdd);
}

/// Transposes 16x16 doublewords: doubleword j of row i and doubleword i of row j change places.
FERRULE_AVX512_INLINE void transpose_doublewords(Vec (&x)[16]) noexcept {
  transpose_doublewords_in_quarters(x[0], x[1], x[2], x[3]);
  transpose_doublewords_in_quarters(x[4], x[5], x[6], x[7]);
  transpose_doublewords_in_quarters(x[8], x[9], x[10], x[11]);
  transpose_doublewords_in_quarters(x[12], x[13], x[14], x[15]);
  transpose_quarters(x[0], x[4], x[8], x[12]);
  transpose_quarters(x[1], x[5], x[9], x[13]);
  transpose_quarters(x[2], x[6], x[10], x[14]);
  transpose_quarters(x[3], x[7], x[11], x[15]);
}

// The three steps of `transpose_quadwords`, for callers that have other work to do in between.

/// Leaves in each quarter quadwords 2q of a pair of rows (x[0], x[2], x[4], x[6]), or 2q + 1.
FERRULE_AVX512_INLINE void pair_quadwords(Vec (&x)[8]) noexcept {
  const Vec even01 = _mm512_unpacklo_epi64(x[0], x[1]);
  const Vec even23 = _mm512_unpacklo_epi64(x[2], x[3]);
  const Vec even45 = _mm512_unpacklo_epi64(x[4], x[5]);
  const Vec even67 = _mm512_unpacklo_epi64(x[6], x[7]);
  x[1] = _mm512_unpackhi_epi64(x[0], x[1]);
  x[3] = _mm512_unpackhi_epi64(x[2], x[3]);
  x[5] = _mm512_unpackhi_epi64(x[4], x[5]);
  x[7] = _mm512_unpackhi_epi64(x[6], x[7]);
  x[0] = even01, x[2] = even23, x[4] = even45, x[6] = even67;
}
FERRULE_AVX512_INLINE void finish_even_quadwords(Vec (&x)[8]) noexcept {
  transpose_quarters(x[0], x[2], x[4], x[6]);
}
FERRULE_AVX512_INLINE void finish_odd_quadwords(Vec (&x)[8]) noexcept {
  transpose_quarters(x[1], x[3], x[5], x[7]);
}

/// Transposes 8x8 quadwords: quadword j of row i and quadword i of row j change places.
FERRULE_AVX512_INLINE void transpose_quadwords(Vec (&x)[8]) noexcept {
  pair_quadwords(x);
  finish_even_quadwords(x);
  finish_odd_quadwords(x);
}

}  // namespace ferrule::crypto::avx512
