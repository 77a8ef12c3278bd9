#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include <algorithm>

#include "crypto/interleaved/chacha.h"

namespace ferrule::crypto::interleaved {

namespace {

// Row `i` of the state that lanes start from.
FERRULE_VECTOR_INLINE Vec initial_row(const LaneInputs& inputs, std::size_t i) noexcept {
  if (i < 4) return broadcast(kConstants[i]);
  if (i < 12) return load(inputs.key(i - 4));
  if (i == 12) return load(inputs.counter);
  if (i == 13) return broadcast(0);
  return load(i == 14 ? inputs.nonce_low : inputs.nonce_high);
}

// What goes between rounds: a block of Poly1305 in each of the places.
class Blocks {
 public:
  FERRULE_VECTOR_INLINE explicit Blocks(const Run& run) noexcept
      : sum_(run.sum), r_(run.r), next_(run.next) {
    keep_in_registers(sum_);
  }
  FERRULE_VECTOR_INLINE void work() noexcept {
    add_block(sum_, r_, next_);
    next_ += kPolyBlockSize;
  }
  FERRULE_VECTOR_INLINE void write(Run& run, std::size_t done) noexcept {
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

__attribute__((noinline)) FERRULE_VECTOR void rounds_alone(State& state, unsigned count) noexcept {
  Nothing nothing;
  double_rounds(state, 0, nothing, count);
}

__attribute__((noinline)) FERRULE_VECTOR void rounds_beside(State& state, unsigned count,
                                                            unsigned alone, Run& run) noexcept {
  Blocks blocks(run);
  double_rounds(state, count, blocks, alone);
  blocks.write(run, count * kPlaces);
}

// Where a packet ends, the state goes through memory: what ends packets is no small thing, and
// would cost all rows their registers if it stood between the rounds.
FERRULE_VECTOR_INLINE void rounds(State& state, Authenticator& beside) noexcept {
  unsigned left = kDoubleRounds;
  while (left > 0 && beside.has_run(kPlaces)) {
    Run& run = beside.run();
    const auto fitting = static_cast<unsigned>(run.blocks / kPlaces);
    const unsigned count = std::min(left, fitting);
    const unsigned alone = beside.has_more_than_run() ? 0 : left - count;
    rounds_beside(state, count, alone, run);
    left -= count + alone;
  }
  if (left > 0) rounds_alone(state, left);
}

// Adds the initial state to as many rows from `first` on as there are lanes, and writes what they hold
// of each block.
FERRULE_VECTOR_INLINE void finish_rows(const State& state, const LaneInputs& inputs,
                                       std::size_t first, Keystream& out) noexcept {
  Vec rows[kLanes];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kLanes; ++i) {
    rows[i] = sum(state.row[first + i], initial_row(inputs, first + i));
  }
  transpose(rows);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kLanes; ++i) {
    store(out.block[i] + first * sizeof(std::uint32_t), rows[i]);
  }
}

}  // namespace

void make_keystream(const LaneInputs& inputs, Keystream& out, Authenticator& beside) noexcept {
  State state;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) state.row[i] = initial_row(inputs, i);
  rounds(state, beside);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += kLanes) finish_rows(state, inputs, i, out);
}

}  // namespace ferrule::crypto::interleaved
#endif
