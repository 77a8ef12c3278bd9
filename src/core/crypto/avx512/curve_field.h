// The field of Curve25519, integers modulo p = 2^255 - 19, eight elements at once: an element a lane.
//
// An element is the sum of limb[i] * 2^(51 i). `vpmadd52` takes the low 52 bits of what it multiplies,
// which leaves one bit for what a limb may be too large, and none for a sum: so sums are carried
// before they are multiplied, and products are not carried before they are added up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx512/vector.h"

namespace ferrule::crypto::avx512::curve {

constexpr std::size_t kLimbs = 5;
constexpr unsigned kLimbBits = 51;

/// May be multiplied: limbs are below 2^51 + 2^16.
struct Element {
  Vec limb[kLimbs];
};

/// May be added, subtracted and carried: limbs are below 2^60, or below 2^61 for a sum or difference.
struct Wide {
  Vec limb[kLimbs];
};

/// Four words of 64 bits a lane, the lowest first.
struct Words {
  Vec word[4];
};

FERRULE_AVX512_INLINE Vec all_lanes(std::uint64_t value) noexcept {
  return _mm512_set1_epi64(static_cast<std::int64_t>(value));
}
FERRULE_AVX512_INLINE Vec limb_mask() noexcept {
  return all_lanes((std::uint64_t{1} << kLimbBits) - 1);
}

FERRULE_AVX512_INLINE Wide add(const Wide& a, const Wide& b) noexcept {
  Wide sum;
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) sum.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
  return sum;
}

/// a - b, plus a multiple of p that keeps each limb from going below zero. Takes products.
FERRULE_AVX512_INLINE Wide subtract(const Wide& a, const Wide& b) noexcept {
  constexpr unsigned kBits = 60 - kLimbBits;  // 2^9 p: limbs a little below 2^60
  const Vec lowest = all_lanes(((std::uint64_t{1} << kLimbBits) - 19) << kBits);
  const Vec others = all_lanes(((std::uint64_t{1} << kLimbBits) - 1) << kBits);
  Wide difference;
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    difference.limb[i] =
        _mm512_add_epi64(a.limb[i], _mm512_sub_epi64(i == 0 ? lowest : others, b.limb[i]));
  }
  return difference;
}

/// The same number, fit to be multiplied. All five carries at once: a chain of them would be what
/// multiplications wait for.
FERRULE_AVX512_INLINE Element carry(const Wide& a) noexcept {
  Vec kept[kLimbs];
  Vec carried[kLimbs];
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    kept[i] = _mm512_and_si512(a.limb[i], limb_mask());
    carried[i] = _mm512_srli_epi64(a.limb[i], kLimbBits);
  }
  Element result;
  result.limb[0] = _mm512_madd52lo_epu64(kept[0], carried[kLimbs - 1], all_lanes(19));
#pragma GCC unroll 4
  for (std::size_t i = 1; i < kLimbs; ++i) {
    result.limb[i] = _mm512_add_epi64(kept[i], carried[i - 1]);
  }
  return result;
}

/// As it is, for sums.
FERRULE_AVX512_INLINE Wide wide(const Element& a) noexcept {
  return {{a.limb[0], a.limb[1], a.limb[2], a.limb[3], a.limb[4]}};
}

/// Ten columns of a product: column i weighs 2^(51 i), and 2^255 is 19.
FERRULE_AVX512_INLINE Wide fold(const Vec (&column)[2 * kLimbs]) noexcept {
  Vec nineteen = all_lanes(19);
  // Hides the value from GCC, which would multiply by shifts and sums.
  asm("" : "+v"(nineteen));
  Wide product;
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    product.limb[i] = _mm512_add_epi64(column[i], _mm512_mullo_epi64(column[i + kLimbs], nineteen));
  }
  return product;
}

FERRULE_AVX512_INLINE void twice(Vec& x) noexcept { x = _mm512_add_epi64(x, x); }

/// a * b. High halves of products weigh 2^52, twice the next column: they are summed first, doubled in
/// place, and low halves added on top.
FERRULE_AVX512_INLINE Wide multiply(const Element& a, const Element& b) noexcept {
  Vec column[2 * kLimbs];
#pragma GCC unroll 10
  for (Vec& sum : column) sum = zero();
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      column[i + j + 1] = _mm512_madd52hi_epu64(column[i + j + 1], a.limb[i], b.limb[j]);
    }
  }
#pragma GCC unroll 9
  for (std::size_t i = 1; i < 2 * kLimbs; ++i) twice(column[i]);
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      column[i + j] = _mm512_madd52lo_epu64(column[i + j], a.limb[i], b.limb[j]);
    }
  }
  return fold(column);
}

/// a * a. Products of two different limbs count twice; with what high halves weigh, that is
/// 2 * (2 * high of different + high of equal + low of different) + low of equal.
FERRULE_AVX512_INLINE Wide square(const Element& a) noexcept {
  Vec column[2 * kLimbs];
#pragma GCC unroll 10
  for (Vec& sum : column) sum = zero();
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      if (i < j) column[i + j + 1] = _mm512_madd52hi_epu64(column[i + j + 1], a.limb[i], a.limb[j]);
    }
  }
#pragma GCC unroll 7
  for (std::size_t i = 2; i < 2 * kLimbs - 1; ++i) twice(column[i]);
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    column[2 * i + 1] = _mm512_madd52hi_epu64(column[2 * i + 1], a.limb[i], a.limb[i]);
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      if (i < j) column[i + j] = _mm512_madd52lo_epu64(column[i + j], a.limb[i], a.limb[j]);
    }
  }
#pragma GCC unroll 9
  for (std::size_t i = 1; i < 2 * kLimbs; ++i) twice(column[i]);
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    column[2 * i] = _mm512_madd52lo_epu64(column[2 * i], a.limb[i], a.limb[i]);
  }
  return fold(column);
}

/// a + b * factor, the factor below 2^17.
FERRULE_AVX512_INLINE Wide add_multiple(const Element& a, const Element& b,
                                        std::uint64_t factor) noexcept {
  const Vec times = all_lanes(factor);
  Vec high[kLimbs];
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    high[i] = _mm512_madd52hi_epu64(zero(), b.limb[i], times);
    twice(high[i]);
  }
  Wide sum = wide(a);
  sum.limb[0] = _mm512_madd52lo_epu64(sum.limb[0], high[kLimbs - 1], all_lanes(19));
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    if (i > 0) sum.limb[i] = _mm512_add_epi64(sum.limb[i], high[i - 1]);
    sum.limb[i] = _mm512_madd52lo_epu64(sum.limb[i], b.limb[i], times);
  }
  return sum;
}

/// b in the lanes of the mask, a in the others.
FERRULE_AVX512_INLINE Element select(__mmask8 lanes, const Element& a, const Element& b) noexcept {
  Element chosen;
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    chosen.limb[i] = _mm512_mask_blend_epi64(lanes, a.limb[i], b.limb[i]);
  }
  return chosen;
}

FERRULE_AVX512_INLINE Vec either_masked(Vec a, Vec b) noexcept {
  return _mm512_and_si512(_mm512_or_si512(a, b), limb_mask());
}

/// The low 255 bits of four words (RFC 7748 §5: the highest bit of a coordinate is ignored).
FERRULE_AVX512_INLINE Element unpack(const Words& from) noexcept {
  const Vec* word = from.word;
  return {{_mm512_and_si512(word[0], limb_mask()),
           either_masked(_mm512_srli_epi64(word[0], 51), _mm512_slli_epi64(word[1], 13)),
           either_masked(_mm512_srli_epi64(word[1], 38), _mm512_slli_epi64(word[2], 26)),
           either_masked(_mm512_srli_epi64(word[2], 25), _mm512_slli_epi64(word[3], 39)),
           _mm512_and_si512(_mm512_srli_epi64(word[3], 12), limb_mask())}};
}

/// The one representative below p.
FERRULE_AVX512_INLINE Words pack(const Element& a) noexcept {
  // Limbs that may be multiplied make a number below 2 p: it reaches p where 19 more reach 2^255.
  Vec carried = all_lanes(19);
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    carried = _mm512_srli_epi64(_mm512_add_epi64(a.limb[i], carried), kLimbBits);
  }
  carried = _mm512_madd52lo_epu64(zero(), carried, all_lanes(19));
  Vec limb[kLimbs];
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
    limb[i] = _mm512_add_epi64(a.limb[i], carried);
    carried = _mm512_srli_epi64(limb[i], kLimbBits);
    limb[i] = _mm512_and_si512(limb[i], limb_mask());
  }
  return {{_mm512_or_si512(limb[0], _mm512_slli_epi64(limb[1], 51)),
           _mm512_or_si512(_mm512_srli_epi64(limb[1], 13), _mm512_slli_epi64(limb[2], 38)),
           _mm512_or_si512(_mm512_srli_epi64(limb[2], 26), _mm512_slli_epi64(limb[3], 25)),
           _mm512_or_si512(_mm512_srli_epi64(limb[3], 39), _mm512_slli_epi64(limb[4], 12))}};
}

}  // namespace ferrule::crypto::avx512::curve
