// The field of Poly1305, integers modulo 2^130 - 5, eight elements at once: an element a lane.
//
// An element is h0 + h1 * 2^44 + h2 * 2^88. `vpmadd52` multiplies two 52-bit numbers and adds the low
// or the high half of the product; limbs of 44 bits leave eight bits for sums and small factors.
#pragma once

#include <cstdint>

#include "crypto/avx512/vector.h"

namespace ferrule::crypto::avx512 {

constexpr unsigned kLimbBits = 44;
constexpr unsigned kTopLimbBits = 42;  // 130 - 2 * 44

/// Limbs below 2^45 are fine everywhere below; `reduce` gives less than 2^44 + 2^15.
struct Element {
  Vec limb0, limb1, limb2;
};

/// An element to multiply by, with what its higher limbs wrap around to: a product of limbs 1 and 2
/// weighs 2^132, which is 20 modulo 2^130 - 5.
struct Multiplier {
  Element value;
  Vec wrapped1, wrapped2;  // 20 * limb1, 20 * limb2: at most 2^50
};

/// An element plus at most four products, before it is reduced.
struct Sum {
  Vec low0, low1, low2;     // weigh 1, 2^44, 2^88
  Vec high0, high1, high2;  // weigh 2^52 times as much
};

FERRULE_AVX512_INLINE Vec limb_mask() noexcept {
  return _mm512_set1_epi64((std::int64_t{1} << kLimbBits) - 1);
}
FERRULE_AVX512_INLINE Vec top_limb_mask() noexcept {
  return _mm512_set1_epi64((std::int64_t{1} << kTopLimbBits) - 1);
}

FERRULE_AVX512_INLINE Vec times_5(Vec x) noexcept {
  return _mm512_add_epi64(x, _mm512_slli_epi64(x, 2));
}

FERRULE_AVX512_INLINE Multiplier multiplier(const Element& value) noexcept {
  return {value, _mm512_slli_epi64(times_5(value.limb1), 2),
          _mm512_slli_epi64(times_5(value.limb2), 2)};
}

FERRULE_AVX512_INLINE Element add(const Element& a, const Element& b) noexcept {
  return {_mm512_add_epi64(a.limb0, b.limb0), _mm512_add_epi64(a.limb1, b.limb1),
          _mm512_add_epi64(a.limb2, b.limb2)};
}

/// An element as a sum to add products to.
FERRULE_AVX512_INLINE Sum sum_of(const Element& a) noexcept {
  return {a.limb0, a.limb1, a.limb2, zero(), zero(), zero()};
}

/// sum += a * b.
FERRULE_AVX512_INLINE void add_product(Sum& sum, const Element& a, const Multiplier& b) noexcept {
  // Six independent chains, so that none waits for the instruction before it.
  sum.low0 = _mm512_madd52lo_epu64(sum.low0, a.limb2, b.wrapped1);
  sum.high0 = _mm512_madd52hi_epu64(sum.high0, a.limb2, b.wrapped1);
  sum.low1 = _mm512_madd52lo_epu64(sum.low1, a.limb2, b.wrapped2);
  sum.high1 = _mm512_madd52hi_epu64(sum.high1, a.limb2, b.wrapped2);
  sum.low2 = _mm512_madd52lo_epu64(sum.low2, a.limb2, b.value.limb0);
  sum.high2 = _mm512_madd52hi_epu64(sum.high2, a.limb2, b.value.limb0);
  sum.low0 = _mm512_madd52lo_epu64(sum.low0, a.limb0, b.value.limb0);
  sum.high0 = _mm512_madd52hi_epu64(sum.high0, a.limb0, b.value.limb0);
  sum.low1 = _mm512_madd52lo_epu64(sum.low1, a.limb0, b.value.limb1);
  sum.high1 = _mm512_madd52hi_epu64(sum.high1, a.limb0, b.value.limb1);
  sum.low2 = _mm512_madd52lo_epu64(sum.low2, a.limb0, b.value.limb2);
  sum.high2 = _mm512_madd52hi_epu64(sum.high2, a.limb0, b.value.limb2);
  sum.low0 = _mm512_madd52lo_epu64(sum.low0, a.limb1, b.wrapped2);
  sum.high0 = _mm512_madd52hi_epu64(sum.high0, a.limb1, b.wrapped2);
  sum.low1 = _mm512_madd52lo_epu64(sum.low1, a.limb1, b.value.limb0);
  sum.high1 = _mm512_madd52hi_epu64(sum.high1, a.limb1, b.value.limb0);
  sum.low2 = _mm512_madd52lo_epu64(sum.low2, a.limb1, b.value.limb1);
  sum.high2 = _mm512_madd52hi_epu64(sum.high2, a.limb1, b.value.limb1);
}

/// The element that a sum is congruent to, with limbs small enough to be multiplied again.
FERRULE_AVX512_INLINE Element reduce(const Sum& sum) noexcept {
  // 2^52 is 2^8 times the weight of the next limb; above limb 2 it is 2^10 * 2^130, that is, 5 * 2^10.
  const Vec limb0 = _mm512_add_epi64(sum.low0, _mm512_slli_epi64(times_5(sum.high2), 10));
  const Vec limb1 = _mm512_add_epi64(sum.low1, _mm512_slli_epi64(sum.high0, 8));
  const Vec limb2 = _mm512_add_epi64(sum.low2, _mm512_slli_epi64(sum.high1, 8));
  // All three carries at once: a chain of them would be what multiplications wait for.
  const Vec carry0 = _mm512_srli_epi64(limb0, kLimbBits);
  const Vec carry1 = _mm512_srli_epi64(limb1, kLimbBits);
  const Vec carry2 = _mm512_srli_epi64(limb2, kTopLimbBits);
  return {_mm512_add_epi64(_mm512_and_si512(limb0, limb_mask()), times_5(carry2)),
          _mm512_add_epi64(_mm512_and_si512(limb1, limb_mask()), carry0),
          _mm512_add_epi64(_mm512_and_si512(limb2, top_limb_mask()), carry1)};
}

FERRULE_AVX512_INLINE Element multiply(const Element& a, const Multiplier& b) noexcept {
  Sum sum = sum_of({zero(), zero(), zero()});
  add_product(sum, a, b);
  return reduce(sum);
}

/// The element low + high * 2^64 + top, `top` being what to set in limb 2: the bit 2^128 behind a
/// block of a message, or nothing.
FERRULE_AVX512_INLINE Element split(Vec low, Vec high, Vec top) noexcept {
  constexpr int kEitherThenMask = 0xa8;  // (a | b) & c
  return {_mm512_and_si512(low, limb_mask()),
          _mm512_ternarylogic_epi64(_mm512_srli_epi64(low, kLimbBits),
                                    _mm512_slli_epi64(high, 64 - kLimbBits), limb_mask(),
                                    kEitherThenMask),
          _mm512_or_si512(_mm512_srli_epi64(high, 2 * kLimbBits - 64), top)};
}

/// Bit 2^128 as `split` wants it.
FERRULE_AVX512_INLINE Vec block_end() noexcept {
  return _mm512_set1_epi64(std::int64_t{1} << (128 - 2 * kLimbBits));
}

/// The one representative below 2^130 - 5, cut to 128 bits.
struct Residue {
  Vec low, high;
};

/// Takes limbs of up to 60 bits.
FERRULE_AVX512_INLINE Residue freeze(Element h) noexcept {
  // Twice around carries everything into place, but for a last carry out of limb 0.
  for (int i = 0; i < 2; ++i) {
    h.limb1 = _mm512_add_epi64(h.limb1, _mm512_srli_epi64(h.limb0, kLimbBits));
    h.limb0 = _mm512_and_si512(h.limb0, limb_mask());
    h.limb2 = _mm512_add_epi64(h.limb2, _mm512_srli_epi64(h.limb1, kLimbBits));
    h.limb1 = _mm512_and_si512(h.limb1, limb_mask());
    h.limb0 = _mm512_add_epi64(h.limb0, times_5(_mm512_srli_epi64(h.limb2, kTopLimbBits)));
    h.limb2 = _mm512_and_si512(h.limb2, top_limb_mask());
  }
  h.limb1 = _mm512_add_epi64(h.limb1, _mm512_srli_epi64(h.limb0, kLimbBits));
  h.limb0 = _mm512_and_si512(h.limb0, limb_mask());

  // h - (2^130 - 5) is h + 5 without bit 2^130; that bit says which of the two to take.
  Vec less0 = _mm512_add_epi64(h.limb0, _mm512_set1_epi64(5));
  Vec less1 = _mm512_add_epi64(h.limb1, _mm512_srli_epi64(less0, kLimbBits));
  Vec less2 = _mm512_add_epi64(h.limb2, _mm512_srli_epi64(less1, kLimbBits));
  const __mmask8 reaches =
      _mm512_test_epi64_mask(less2, _mm512_set1_epi64(std::int64_t{1} << kTopLimbBits));
  less0 = _mm512_and_si512(less0, limb_mask());
  less1 = _mm512_and_si512(less1, limb_mask());
  h.limb0 = _mm512_mask_mov_epi64(h.limb0, reaches, less0);
  h.limb1 = _mm512_mask_mov_epi64(h.limb1, reaches, less1);
  h.limb2 = _mm512_mask_mov_epi64(h.limb2, reaches, less2);

  return {_mm512_or_si512(h.limb0, _mm512_slli_epi64(h.limb1, kLimbBits)),
          _mm512_or_si512(_mm512_srli_epi64(h.limb1, 64 - kLimbBits),
                          _mm512_slli_epi64(h.limb2, 2 * kLimbBits - 64))};
}

}  // namespace ferrule::crypto::avx512
