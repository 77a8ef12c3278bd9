// The rounds of ChaCha20 (RFC 8439 §2.3) on eight lanes, and what fits between them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx2/vector.h"
#include "crypto/interleaved/nothing.h"

namespace ferrule::crypto::avx2 {

/// The 16 rows of the state, a lane a column.
struct State {
  Vec row[16];
};

// The steps of a quarter round, in place and in the order written. In assembler, because there is a
// register for everything but nothing to spare: with intrinsics GCC 12 moves rows about, and a packet
// costs a tenth more.
FERRULE_VECTOR_INLINE void add(Vec& a, const Vec& b) noexcept {
  asm volatile("vpaddd %1, %0, %0" : "+x"(a) : "x"(b));
}
FERRULE_VECTOR_INLINE void exclusive_or(Vec& a, const Vec& b) noexcept {
  asm volatile("vpxor %1, %0, %0" : "+x"(a) : "x"(b));
}

/// Where `vpshufb` takes each byte of a row from, to rotate its words left by whole bytes.
struct ByteRotation {
  alignas(kVecSize) std::uint8_t from[kVecSize];

  static constexpr ByteRotation by(unsigned bits) noexcept {
    ByteRotation rotation = {};
    for (unsigned i = 0; i < kVecSize; ++i) {
      // Places count from the start of each half of the register.
      rotation.from[i] = static_cast<std::uint8_t>(i % 16 / 4 * 4 + (i + 4 - bits / 8) % 4);
    }
    return rotation;
  }
};
inline constexpr ByteRotation kRotate16 = ByteRotation::by(16);
inline constexpr ByteRotation kRotate8 = ByteRotation::by(8);

FERRULE_VECTOR_INLINE void rotate(Vec& a, const ByteRotation& rotation) noexcept {
  asm volatile("vpshufb %1, %0, %0" : "+x"(a) : "m"(rotation));
}

/// Two rows at once, since a rotation by other than whole bytes is three instructions that wait for
/// each other.
template <int kBits>
FERRULE_VECTOR_INLINE void rotate_both(Vec& a, Vec& b) noexcept {
  Vec a_low;
  Vec b_low;
  asm volatile(
      "vpslld %4, %0, %2\n\t"
      "vpslld %4, %1, %3\n\t"
      "vpsrld %5, %0, %0\n\t"
      "vpsrld %5, %1, %1\n\t"
      "vpor %2, %0, %0\n\t"
      "vpor %3, %1, %1"
      : "+x"(a), "+x"(b), "=&x"(a_low), "=&x"(b_low)
      : "i"(kBits), "i"(32 - kBits));
}

/// Two quarter rounds (§2.1), step by step: of a, b, c, d, and of e, f, g, h.
FERRULE_VECTOR_INLINE void two_quarter_rounds(Vec& a, Vec& b, Vec& c, Vec& d, Vec& e, Vec& f,
                                              Vec& g, Vec& h) noexcept {
  add(a, b), add(e, f), exclusive_or(d, a), exclusive_or(h, e);
  rotate(d, kRotate16), rotate(h, kRotate16);
  add(c, d), add(g, h), exclusive_or(b, c), exclusive_or(f, g);
  rotate_both<12>(b, f);
  add(a, b), add(e, f), exclusive_or(d, a), exclusive_or(h, e);
  rotate(d, kRotate8), rotate(h, kRotate8);
  add(c, d), add(g, h), exclusive_or(b, c), exclusive_or(f, g);
  rotate_both<7>(b, f);
}

// The rows 8 to 11 of which two wait in memory.
struct Waiting {
  Vec row[4];
};

// A state while rounds are made. Quarter rounds go in pairs, so that of rows 8 to 11 only two are
// wanted at a time: 14 rows are in registers, the other two wait, and two registers are left for
// rotations. GCC keeps in memory, whole, whatever has an array in it or an address that assembler
// sees: hence a name for each row, and another object for those that wait.
class WorkingState {
 public:
  FERRULE_VECTOR_INLINE WorkingState(const State& s, Waiting& waiting) noexcept
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
        d0_(s.row[12]),
        d1_(s.row[13]),
        d2_(s.row[14]),
        d3_(s.row[15]) {
    waiting.row[2] = s.row[10], waiting.row[3] = s.row[11];
  }

  FERRULE_VECTOR_INLINE void write(State& s, const Waiting& waiting) const noexcept {
    s.row[0] = a0_, s.row[1] = a1_, s.row[2] = a2_, s.row[3] = a3_;
    s.row[4] = b0_, s.row[5] = b1_, s.row[6] = b2_, s.row[7] = b3_;
    s.row[8] = c0_, s.row[9] = c1_, s.row[10] = waiting.row[2], s.row[11] = waiting.row[3];
    s.row[12] = d0_, s.row[13] = d1_, s.row[14] = d2_, s.row[15] = d3_;
  }

  // A column round, then a diagonal round.
  template <class Between>
  FERRULE_VECTOR_INLINE void double_round(Waiting& waiting, Between& between) noexcept {
    two_quarter_rounds(a0_, b0_, c0_, d0_, a1_, b1_, c1_, d1_);
    between.work();
    take_last_two(waiting);
    two_quarter_rounds(a2_, b2_, c0_, d2_, a3_, b3_, c1_, d3_);
    between.work();
    two_quarter_rounds(a0_, b1_, c0_, d3_, a1_, b2_, c1_, d0_);
    between.work();
    take_first_two(waiting);
    two_quarter_rounds(a2_, b3_, c0_, d1_, a3_, b0_, c1_, d2_);
  }

 private:
  // Rows 8 and 9 go, 10 and 11 come.
  FERRULE_VECTOR_INLINE void take_last_two(Waiting& waiting) noexcept {
    put(waiting.row[0], c0_), put(waiting.row[1], c1_);
    get(c0_, waiting.row[2]), get(c1_, waiting.row[3]);
  }
  FERRULE_VECTOR_INLINE void take_first_two(Waiting& waiting) noexcept {
    put(waiting.row[2], c0_), put(waiting.row[3], c1_);
    get(c0_, waiting.row[0]), get(c1_, waiting.row[1]);
  }
  static FERRULE_VECTOR_INLINE void put(Vec& memory, const Vec& row) noexcept {
    asm volatile("vmovdqa %1, %0" : "=m"(memory) : "x"(row));
  }
  static FERRULE_VECTOR_INLINE void get(Vec& row, const Vec& memory) noexcept {
    asm volatile("vmovdqa %1, %0" : "=x"(row) : "m"(memory));
  }

  Vec a0_, a1_, a2_, a3_;
  Vec b0_, b1_, b2_, b3_;
  Vec c0_, c1_;
  Vec d0_, d1_, d2_, d3_;
};

/// In so many places of a double round `between` is asked for work: the integer units are done with a
/// block of Poly1305 about when the vector units are with two quarter rounds.
constexpr std::size_t kPlaces = 3;

/// `count` double rounds with the work of `between` in each, then `alone` without.
template <class Between>
FERRULE_VECTOR_INLINE void double_rounds(State& state, unsigned count, Between& between,
                                         unsigned alone) noexcept {
  Waiting waiting;
  WorkingState working(state, waiting);
  interleaved::Nothing nothing;
  for (unsigned i = 0; i < count; ++i) working.double_round(waiting, between);
  for (unsigned i = 0; i < alone; ++i) working.double_round(waiting, nothing);
  working.write(state, waiting);
}

}  // namespace ferrule::crypto::avx2
