#include "crypto/interleaved/machine.h"

#ifdef FERRULE_AVX2
// A row of a block's state is half a register, so that four blocks take half the time of a pass over
// eight lanes.
#include "crypto/interleaved/few_blocks.h"

namespace ferrule::crypto::interleaved {

namespace {

// The states of two blocks: of each row of four words, one block's in the lower half, the other's in
// the upper.
struct TwoBlocks {
  Vec a, b, c, d;
};

FERRULE_VECTOR_INLINE __m128i load_half(const void* from) noexcept {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}
FERRULE_VECTOR_INLINE Vec halves(const void* lower, const void* upper) noexcept {
  return _mm256_set_m128i(load_half(upper), load_half(lower));
}
FERRULE_VECTOR_INLINE __m128i last_row(const BlockStart& start) noexcept {
  return _mm_set_epi64x(static_cast<std::int64_t>(start.nonce),
                        static_cast<std::int64_t>(start.block));
}
FERRULE_VECTOR_INLINE TwoBlocks initial(const BlockStart& one, const BlockStart& other) noexcept {
  const std::uint8_t* key = one.key->data();
  const std::uint8_t* other_key = other.key->data();
  return {halves(kConstants, kConstants), halves(key, other_key), halves(key + 16, other_key + 16),
          _mm256_set_m128i(last_row(other), last_row(one))};
}

// Turns columns into diagonals, or back: rows a, c and d move, and b, which each round ends with and
// the next one waits for, stays.
template <int kA, int kD>
FERRULE_VECTOR_INLINE void turn(TwoBlocks& x) noexcept {
  x.a = _mm256_shuffle_epi32(x.a, kA);
  x.d = _mm256_shuffle_epi32(x.d, 0b01'00'11'10);
  x.c = _mm256_shuffle_epi32(x.c, kD);
}
constexpr int kUp = 0b10'01'00'11;    // each word to the next place
constexpr int kDown = 0b00'11'10'01;  // to the one before

FERRULE_VECTOR_INLINE void round(TwoBlocks& x, TwoBlocks& y) noexcept {
  two_quarter_rounds(x.a, x.b, x.c, x.d, y.a, y.b, y.c, y.d);
}

FERRULE_VECTOR_INLINE void write(const TwoBlocks& x, const TwoBlocks& start,
                                 std::uint8_t (*blocks)[batch::kBlockSize]) noexcept {
  const Vec rows[] = {_mm256_add_epi32(x.a, start.a), _mm256_add_epi32(x.b, start.b),
                      _mm256_add_epi32(x.c, start.c), _mm256_add_epi32(x.d, start.d)};
  // Whole vectors, since they are read as such soon: both halves of a block together.
  store(blocks[0], _mm256_permute2x128_si256(rows[0], rows[1], 0x20));
  store(blocks[0] + kVecSize, _mm256_permute2x128_si256(rows[2], rows[3], 0x20));
  store(blocks[1], _mm256_permute2x128_si256(rows[0], rows[1], 0x31));
  store(blocks[1] + kVecSize, _mm256_permute2x128_si256(rows[2], rows[3], 0x31));
}

}  // namespace

void make_few_blocks(std::span<const BlockStart> starts, Keystream& out) noexcept {
  const auto start = [&](std::size_t i) -> const BlockStart& {
    return starts[i < starts.size() ? i : 0];
  };
  const TwoBlocks x_start = initial(start(0), start(1));
  const TwoBlocks y_start = initial(start(2), start(3));
  TwoBlocks x = x_start;
  TwoBlocks y = y_start;
  for (unsigned i = 0; i < kDoubleRounds; ++i) {
    round(x, y);
    turn<kUp, kDown>(x), turn<kUp, kDown>(y);
    round(x, y);
    turn<kDown, kUp>(x), turn<kDown, kUp>(y);
  }
  write(x, x_start, out.block);
  write(y, y_start, out.block + 2);
}

}  // namespace ferrule::crypto::interleaved
#endif
