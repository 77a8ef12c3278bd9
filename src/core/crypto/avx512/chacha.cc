#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/chacha.h"

#include <utility>

#include "crypto/avx512/transpose.h"

namespace ferrule::crypto::avx512 {

namespace {

constexpr std::uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
constexpr int kDoubleRounds = 10;

// The steps of a quarter round, in place and in the order written. In assembler, because two states
// fill all 32 registers: with intrinsics GCC 12 looks for a 33rd, and rounds cost a fifth more.
template <class Row>
FERRULE_AVX512_INLINE void add(Row& a, const Row& b) noexcept {
  asm volatile("vpaddd %1, %0, %0" : "+v"(a) : "v"(b));
}
template <class Row>
FERRULE_AVX512_INLINE void exclusive_or(Row& a, const Row& b) noexcept {
  asm volatile("vpxord %1, %0, %0" : "+v"(a) : "v"(b));
}
template <int kBits, class Row>
FERRULE_AVX512_INLINE void rotate(Row& a) noexcept {
  asm volatile("vprold %1, %0, %0" : "+v"(a) : "i"(kBits));
}

// The rows of a state in groups of four, as quarter rounds see them.
enum Group { kA, kB, kC, kD };
enum class Direction { column, diagonal };

// The row that quarter round `i` finds in `group`.
template <Direction kDirection>
constexpr int row_of(Group group, int i) {
  return 4 * group + (kDirection == Direction::diagonal ? (i + group) % 4 : i);
}

// One line of all four quarter rounds: x += y; z = (z ^ x) <<< bits.
template <Direction kDirection, Group kX, Group kY, Group kZ, int kBits, class Row, int... kI>
FERRULE_AVX512_INLINE void line(Row (&rows)[16], std::integer_sequence<int, kI...>) noexcept {
  (add(rows[row_of<kDirection>(kX, kI)], rows[row_of<kDirection>(kY, kI)]), ...);
  (exclusive_or(rows[row_of<kDirection>(kZ, kI)], rows[row_of<kDirection>(kX, kI)]), ...);
  (rotate<kBits>(rows[row_of<kDirection>(kZ, kI)]), ...);
}

// A round of each of the states, line by line: one state's lines hide the latency of the other's.
template <Direction kDirection, class... State>
FERRULE_AVX512_INLINE void round(State&... states) noexcept {
  constexpr auto kQuarters = std::make_integer_sequence<int, 4>();
  (line<kDirection, kA, kB, kD, 16>(states, kQuarters), ...);
  (line<kDirection, kC, kD, kB, 12>(states, kQuarters), ...);
  (line<kDirection, kA, kB, kD, 8>(states, kQuarters), ...);
  (line<kDirection, kC, kD, kB, 7>(states, kQuarters), ...);
}

template <class... State>
FERRULE_AVX512_INLINE void rounds(State&... states) noexcept {
  for (int i = 0; i < kDoubleRounds; ++i) {
    round<Direction::column>(states...);
    round<Direction::diagonal>(states...);
  }
}

// A row of 16 lanes, or, for what is left of a batch, of eight.
template <class Row>
FERRULE_AVX512_INLINE Row load_row(const std::uint32_t* from) noexcept;
template <>
FERRULE_AVX512_INLINE __m512i load_row(const std::uint32_t* from) noexcept {
  return _mm512_loadu_si512(from);
}
template <>
FERRULE_AVX512_INLINE __m256i load_row(const std::uint32_t* from) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
template <class Row>
FERRULE_AVX512_INLINE Row broadcast(std::uint32_t word) noexcept;
template <>
FERRULE_AVX512_INLINE __m512i broadcast(std::uint32_t word) noexcept {
  return _mm512_set1_epi32(static_cast<int>(word));
}
template <>
FERRULE_AVX512_INLINE __m256i broadcast(std::uint32_t word) noexcept {
  return _mm256_set1_epi32(static_cast<int>(word));
}

// Row `i` of the state that lanes from `lane` on start from.
template <int kI, class Row>
FERRULE_AVX512_INLINE Row initial_row(const LaneInputs& inputs, unsigned lane) noexcept {
  if constexpr (kI < 4) {
    return broadcast<Row>(kConstants[kI]);
  } else if constexpr (kI < 12) {
    return load_row<Row>(inputs.key(kI - 4, lane));
  } else if constexpr (kI == 12) {
    return load_row<Row>(inputs.counter + lane);
  } else if constexpr (kI == 13) {
    return broadcast<Row>(0);
  } else {
    return load_row<Row>((kI == 14 ? inputs.nonce_low : inputs.nonce_high) + lane);
  }
}

template <class Row, int... kI>
FERRULE_AVX512_INLINE void start(Row (&state)[16], const LaneInputs& inputs, unsigned lane,
                                 std::integer_sequence<int, kI...>) noexcept {
  ((state[kI] = initial_row<kI, Row>(inputs, lane)), ...);
}

FERRULE_AVX512_INLINE Vec widen(__m512i row) noexcept { return row; }
FERRULE_AVX512_INLINE Vec widen(__m256i row) noexcept { return _mm512_castsi256_si512(row); }

// Adds the initial state and writes the blocks of a state's lanes.
template <class Row, int... kI>
FERRULE_AVX512_INLINE void finish(Row (&state)[16], const LaneInputs& inputs, unsigned lane,
                                  Keystream& out, std::integer_sequence<int, kI...>) noexcept {
  (add(state[kI], initial_row<kI, Row>(inputs, lane)), ...);
  Vec blocks[16] = {widen(state[kI])...};
  transpose_doublewords(blocks);
  constexpr int kBlocks = sizeof(Row) / sizeof(std::uint32_t);
  ((kI < kBlocks ? store(out.block[lane + kI], blocks[kI]) : void()), ...);
}

constexpr auto kRows = std::make_integer_sequence<int, 16>();

template <class Row>
FERRULE_AVX512 void one_state(const LaneInputs& inputs, Keystream& out) noexcept {
  Row state[16];
  start(state, inputs, 0, kRows);
  rounds(state);
  finish(state, inputs, 0, out, kRows);
}

template <class Row>
FERRULE_AVX512 void two_states(const LaneInputs& inputs, Keystream& out) noexcept {
  __m512i first[16];
  Row second[16];
  start(first, inputs, 0, kRows);
  start(second, inputs, 16, kRows);
  rounds(first, second);
  finish(first, inputs, 0, out, kRows);
  finish(second, inputs, 16, out, kRows);
}

}  // namespace

void make_keystream(const LaneInputs& inputs, unsigned lanes, Keystream& out) noexcept {
  if (lanes > 24) {
    two_states<__m512i>(inputs, out);
  } else if (lanes > 16) {
    two_states<__m256i>(inputs, out);
  } else if (lanes > 8) {
    one_state<__m512i>(inputs, out);
  } else {
    one_state<__m256i>(inputs, out);
  }
}

}  // namespace ferrule::crypto::avx512
#endif
