// The rounds of ChaCha20 (RFC 8439 §2.3) on four lanes, and what fits between them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/interleaved/nothing.h"
#include "crypto/neon/vector.h"

namespace ferrule::crypto::neon {

/// The 16 rows of the state, a lane a column.
struct State {
  Vec row[16];
};

// Rotates words left.
FERRULE_VECTOR_INLINE Vec rotate_16(Vec a) noexcept {
  return vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(a)));
}
FERRULE_VECTOR_INLINE Vec rotate_8(Vec a) noexcept {
  constexpr uint8x16_t kFrom = {3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14};
  return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(a), kFrom));
}
template <int kBits>
FERRULE_VECTOR_INLINE Vec rotate(Vec a) noexcept {
  Vec rotated;
  asm("shl %0.4s, %1.4s, %2\n\t"
      "sri %0.4s, %1.4s, %3"
      : "=&w"(rotated)
      : "w"(a), "i"(kBits), "i"(32 - kBits));
  return rotated;
}

// A quarter round (§2.1) in four steps, each of which waits for the one before.
FERRULE_VECTOR_INLINE void step_1(Vec& a, Vec b, Vec& d) noexcept { a += b, d = rotate_16(d ^ a); }
FERRULE_VECTOR_INLINE void step_2(Vec& c, Vec d, Vec& b) noexcept { c += d, b = rotate<12>(b ^ c); }
FERRULE_VECTOR_INLINE void step_3(Vec& a, Vec b, Vec& d) noexcept { a += b, d = rotate_8(d ^ a); }
FERRULE_VECTOR_INLINE void step_4(Vec& c, Vec d, Vec& b) noexcept { c += d, b = rotate<7>(b ^ c); }

/// Two quarter rounds, step by step: of a, b, c, d, and of e, f, g, h.
FERRULE_VECTOR_INLINE void two_quarter_rounds(Vec& a, Vec& b, Vec& c, Vec& d, Vec& e, Vec& f,
                                              Vec& g, Vec& h) noexcept {
  step_1(a, b, d), step_1(e, f, h);
  step_2(c, d, b), step_2(g, h, f);
  step_3(a, b, d), step_3(e, f, h);
  step_4(c, d, b), step_4(g, h, f);
}

/// In so many places of a double round `between` is asked for work: eight of the ten are enough for as
/// many blocks of Poly1305 as a pass makes.
constexpr std::size_t kPlaces = 2;

/// A state while rounds are made: all of it is in registers.
class WorkingState {
 public:
  FERRULE_VECTOR_INLINE explicit WorkingState(const State& s) noexcept
      : a0_(s.row[0]),
        a1_(s.row[1]),
        a2_(s.row[2]),
        a3_(s.row[3]),
        b0_(s.row[4]),
        b1_(s.row[5]),
        b2_(s.row[6]),
        b3_(s.row[7]),
        c0_(s.row[8]),
        c1_(s.row[9]),
        c2_(s.row[10]),
        c3_(s.row[11]),
        d0_(s.row[12]),
        d1_(s.row[13]),
        d2_(s.row[14]),
        d3_(s.row[15]) {}

  FERRULE_VECTOR_INLINE void write(State& s) const noexcept {
    s.row[0] = a0_, s.row[1] = a1_, s.row[2] = a2_, s.row[3] = a3_;
    s.row[4] = b0_, s.row[5] = b1_, s.row[6] = b2_, s.row[7] = b3_;
    s.row[8] = c0_, s.row[9] = c1_, s.row[10] = c2_, s.row[11] = c3_;
    s.row[12] = d0_, s.row[13] = d1_, s.row[14] = d2_, s.row[15] = d3_;
  }

  /// A column round, then a diagonal round; `between` is asked for work in two places.
  template <class Between>
  FERRULE_VECTOR_INLINE void double_round(Between& between) noexcept {
    two_quarter_rounds(a0_, b0_, c0_, d0_, a1_, b1_, c1_, d1_);
    two_quarter_rounds(a2_, b2_, c2_, d2_, a3_, b3_, c3_, d3_);
    between.work();
    two_quarter_rounds(a0_, b1_, c2_, d3_, a1_, b2_, c3_, d0_);
    two_quarter_rounds(a2_, b3_, c0_, d1_, a3_, b0_, c1_, d2_);
    between.work();
  }

 private:
  Vec a0_, a1_, a2_, a3_;
  Vec b0_, b1_, b2_, b3_;
  Vec c0_, c1_, c2_, c3_;
  Vec d0_, d1_, d2_, d3_;
};

/// `count` double rounds with the work of `between` in each, then `alone` without.
template <class Between>
FERRULE_VECTOR_INLINE void double_rounds(State& state, unsigned count, Between& between,
                                         unsigned alone) noexcept {
  WorkingState working(state);
  interleaved::Nothing nothing;
  for (unsigned i = 0; i < count; ++i) working.double_round(between);
  for (unsigned i = 0; i < alone; ++i) working.double_round(nothing);
  working.write(state);
}

}  // namespace ferrule::crypto::neon
