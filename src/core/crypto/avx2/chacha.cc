#include "crypto/avx2/target.h"

#ifdef FERRULE_AVX2
#include "crypto/avx2/chacha.h"

#include <algorithm>

#include "crypto/avx2/rounds.h"
#include "crypto/avx2/transpose.h"

namespace ferrule::crypto::avx2 {

namespace {

// Row `i` of the state that lanes start from.
FERRULE_AVX2_INLINE Vec initial_row(const LaneInputs& inputs, std::size_t i) noexcept {
  if (i < 4) return broadcast(kConstants[i]);
  if (i < 12) return load(inputs.key(i - 4));
  if (i == 12) return load(inputs.counter);
  if (i == 13) return _mm256_setzero_si256();
  return load(i == 14 ? inputs.nonce_low : inputs.nonce_high);
}

// What goes between rounds: nothing, or a block of Poly1305 in each of the places.
struct Nothing {
  FERRULE_AVX2_INLINE void work() noexcept {}
};
class Blocks {
 public:
  static constexpr std::size_t kADoubleRound = 3;

  FERRULE_AVX2_INLINE explicit Blocks(const Run& run) noexcept
      : sum_(run.sum), r_(run.r), next_(run.next) {
    keep_in_registers(sum_);
  }
  FERRULE_AVX2_INLINE void work() noexcept {
    add_block(sum_, r_, next_);
    next_ += kPolyBlockSize;
  }
  FERRULE_AVX2_INLINE void write(Run& run, std::size_t done) noexcept {
    keep_in_registers(sum_);
    run.sum = sum_;
    run.next = next_;
    run.blocks -= done;
  }

 private:
  PolySum sum_;
  const Multiplier& r_;
  const std::uint8_t* next_;
};

__attribute__((noinline)) FERRULE_AVX2 void double_rounds(State& state, unsigned count) noexcept {
  Waiting waiting;
  WorkingState working(state, waiting);
  Nothing nothing;
  for (unsigned i = 0; i < count; ++i) working.double_round(waiting, nothing);
  working.write(state, waiting);
}

// The integer units are done with a block about when the vector units are with two quarter rounds.
__attribute__((noinline)) FERRULE_AVX2 void double_rounds_beside(State& state, unsigned count,
                                                                 Run& run) noexcept {
  Waiting waiting;
  WorkingState working(state, waiting);
  Blocks blocks(run);
  for (unsigned i = 0; i < count; ++i) working.double_round(waiting, blocks);
  blocks.write(run, count * Blocks::kADoubleRound);
  working.write(state, waiting);
}

// Where a packet ends, the state goes through memory: what ends packets is no small thing, and
// would cost all rows their registers if it stood between the rounds.
FERRULE_AVX2_INLINE void rounds(State& state, Authenticator& beside) noexcept {
  unsigned left = kDoubleRounds;
  while (left > 0 && beside.has_run(Blocks::kADoubleRound)) {
    Run& run = beside.run();
    const auto fitting = static_cast<unsigned>(run.blocks / Blocks::kADoubleRound);
    const unsigned count = std::min(left, fitting);
    double_rounds_beside(state, count, run);
    left -= count;
  }
  if (left > 0) double_rounds(state, left);
}

// Adds the initial state to eight rows from `first` on, and writes the 32 bytes that they hold of
// each block.
FERRULE_AVX2_INLINE void finish_half(const State& state, const LaneInputs& inputs,
                                     std::size_t first, Keystream& out) noexcept {
  Vec rows[8];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    rows[i] = _mm256_add_epi32(state.row[first + i], initial_row(inputs, first + i));
  }
  transpose_doublewords(rows);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    store(out.block[i] + first * sizeof(std::uint32_t), rows[i]);
  }
}

}  // namespace

void make_keystream(const LaneInputs& inputs, Keystream& out, Authenticator& beside) noexcept {
  State state;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) state.row[i] = initial_row(inputs, i);
  rounds(state, beside);
  finish_half(state, inputs, 0, out);
  finish_half(state, inputs, 8, out);
}

}  // namespace ferrule::crypto::avx2
#endif
