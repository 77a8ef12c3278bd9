#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/ladder.h"

namespace ferrule::crypto::avx512::curve {

namespace {

constexpr std::uint64_t kA24 = 121665;  // RFC 7748 §5: (486662 - 2) / 4
constexpr unsigned kTopBit = 254;

// Rows to columns and back. The places are the same whatever the rows hold.
FERRULE_AVX512_INLINE Vec row_offsets() noexcept {
  return _mm512_setr_epi64(0, 4, 8, 12, 16, 20, 24, 28);
}
FERRULE_AVX512_INLINE Words load_rows(const Rows& rows) noexcept {
  Words words;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    words.word[i] = _mm512_i64gather_epi64(row_offsets(), &rows.word[0][i], 8);
  }
  return words;
}
FERRULE_AVX512_INLINE void store_rows(Rows& rows, const Words& words) noexcept {
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    _mm512_i64scatter_epi64(&rows.word[0][i], row_offsets(), words.word[i], 8);
  }
}

FERRULE_AVX512_INLINE Words clamp(Words scalars) noexcept {
  scalars.word[0] = _mm512_and_si512(scalars.word[0], all_lanes(~std::uint64_t{7}));
  scalars.word[3] = _mm512_and_si512(scalars.word[3], all_lanes(~(std::uint64_t{1} << 63)));
  scalars.word[3] = _mm512_or_si512(scalars.word[3], all_lanes(std::uint64_t{1} << 62));
  return scalars;
}

FERRULE_AVX512_INLINE Element small(std::uint64_t value) noexcept {
  return {{all_lanes(value), zero(), zero(), zero(), zero()}};
}

// Projective: x / z.
struct Point {
  Wide x, z;
};

// The two points of a ladder, which differ by the one that it began with.
struct Ladder {
  Point doubled;  // what the last step doubled
  Point summed;   // what it added up
};

// RFC 7748 §5, with both points' sums and differences made before it is chosen which to double: the
// sum of the two is the same either way round.
FERRULE_AVX512_INLINE void step(Ladder& ladder, const Element& x1,
                                __mmask8 double_summed) noexcept {
  const Element a = carry(add(ladder.doubled.x, ladder.doubled.z));
  const Element b = carry(subtract(ladder.doubled.x, ladder.doubled.z));
  const Element c = carry(add(ladder.summed.x, ladder.summed.z));
  const Element d = carry(subtract(ladder.summed.x, ladder.summed.z));

  const Wide da = multiply(d, a);
  const Wide cb = multiply(c, b);
  const Wide wide_aa = square(select(double_summed, a, c));
  const Wide wide_bb = square(select(double_summed, b, d));
  ladder.summed.x = square(carry(add(da, cb)));
  const Wide difference_squared = square(carry(subtract(da, cb)));
  const Element aa = carry(wide_aa);
  const Element e = carry(subtract(wide_aa, wide_bb));
  ladder.doubled.x = multiply(aa, carry(wide_bb));
  ladder.doubled.z = multiply(e, carry(add_multiple(aa, e, kA24)));
  ladder.summed.z = multiply(x1, carry(difference_squared));
}

FERRULE_AVX512_INLINE Point multiple(const Words& scalars, const Element& x1) noexcept {
  Ladder ladder{{wide(small(1)), wide(small(0))}, {wide(x1), wide(small(1))}};
  __mmask8 last = 0;
  for (unsigned i = kTopBit + 1; i-- > 0;) {
    const __mmask8 bits =
        _mm512_test_epi64_mask(scalars.word[i / 64], all_lanes(std::uint64_t{1} << i % 64));
    step(ladder, x1, static_cast<__mmask8>(bits ^ last));
    last = bits;
  }
  return ladder.doubled;  // the lowest bit of a clamped scalar is zero
}

// a^(2^count).
__attribute__((noinline)) FERRULE_AVX512 void square_times(Element& a, unsigned count) noexcept {
  for (unsigned i = 0; i < count; ++i) a = carry(square(a));
}
FERRULE_AVX512_INLINE Element times(const Element& a, const Element& b) noexcept {
  return carry(multiply(a, b));
}
FERRULE_AVX512_INLINE Element squared(Element a, unsigned times) noexcept {
  square_times(a, times);
  return a;
}

// 1 / a, as a^(p - 2); 0 for 0. Names say the exponent: a_n is a^(2^n - 1).
FERRULE_AVX512_INLINE Element invert(const Element& a) noexcept {
  const Element a2 = squared(a, 1);
  const Element a9 = times(squared(a2, 2), a);
  const Element a11 = times(a9, a2);
  const Element a_5 = times(squared(a11, 1), a9);
  const Element a_10 = times(squared(a_5, 5), a_5);
  const Element a_20 = times(squared(a_10, 10), a_10);
  const Element a_40 = times(squared(a_20, 20), a_20);
  const Element a_50 = times(squared(a_40, 10), a_10);
  const Element a_100 = times(squared(a_50, 50), a_50);
  const Element a_200 = times(squared(a_100, 100), a_100);
  const Element a_250 = times(squared(a_200, 50), a_50);
  return times(squared(a_250, 5), a11);
}

}  // namespace

__attribute__((noinline)) void multiply_points(const Rows& scalars, Rows& points) noexcept {
  const Point result = multiple(clamp(load_rows(scalars)), unpack(load_rows(points)));
  store_rows(points, pack(times(carry(result.x), invert(carry(result.z)))));
}

}  // namespace ferrule::crypto::avx512::curve
#endif
