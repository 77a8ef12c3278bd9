#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include <gtest/gtest.h>

#include <numeric>

#include "crypto/avx512/skip_testing.h"
#include "crypto/avx512/transpose.h"
#include "crypto/batch/models_testing.h"

namespace ferrule::crypto::avx512 {
namespace {

// A square of numbers that are all different.
template <class Word, std::size_t kSize>
struct Square {
  Word cell[kSize][kSize];

  static Square counting() {
    Square square;
    std::iota(&square.cell[0][0], &square.cell[0][0] + kSize * kSize, Word{0});
    return square;
  }
  [[nodiscard]] Square transposed() const {
    Square square;
    for (std::size_t i = 0; i < kSize; ++i) {
      for (std::size_t j = 0; j < kSize; ++j) square.cell[i][j] = cell[j][i];
    }
    return square;
  }
  template <class F>
  FERRULE_AVX512_INLINE void apply(F transpose) {
    Vec rows[kSize];
    for (std::size_t i = 0; i < kSize; ++i) rows[i] = load(cell[i]);
    transpose(rows);
    for (std::size_t i = 0; i < kSize; ++i) store(cell[i], rows[i]);
  }
  bool operator==(const Square& other) const {
    return std::equal(&cell[0][0], &cell[0][0] + kSize * kSize, &other.cell[0][0]);
  }
};

struct Doublewords {
  FERRULE_AVX512_INLINE void operator()(Vec (&rows)[16]) const { transpose_doublewords(rows); }
};
struct Quadwords {
  FERRULE_AVX512_INLINE void operator()(Vec (&rows)[8]) const { transpose_quadwords(rows); }
};

FERRULE_AVX512 void transpose(Square<std::uint32_t, 16>& square) { square.apply(Doublewords()); }
FERRULE_AVX512 void transpose(Square<std::uint64_t, 8>& square) { square.apply(Quadwords()); }

TEST(Avx512Transpose, DoublewordsOfSixteenRows) {
  FERRULE_SKIP_WITHOUT_AVX512();
  auto square = Square<std::uint32_t, 16>::counting();
  const auto expected = square.transposed();
  transpose(square);
  EXPECT_TRUE(square == expected);
}

TEST(Avx512Transpose, QuadwordsOfEightRows) {
  FERRULE_SKIP_WITHOUT_AVX512();
  auto square = Square<std::uint64_t, 8>::counting();
  const auto expected = square.transposed();
  transpose(square);
  EXPECT_TRUE(square == expected);
}

}  // namespace
}  // namespace ferrule::crypto::avx512
#endif
