#include "crypto/avx2/target.h"

#ifdef FERRULE_AVX2
#include "crypto/avx2/skip_testing.h"
#include "crypto/avx2/transpose.h"

namespace ferrule::crypto::avx2 {
namespace {

FERRULE_AVX2 void transpose(std::uint32_t (&words)[8][8]) {
  Vec rows[8];
  for (int i = 0; i < 8; ++i) rows[i] = load(words[i]);
  transpose_doublewords(rows);
  for (int i = 0; i < 8; ++i) store(words[i], rows[i]);
}

TEST(Avx2Transpose, RowsAndColumnsChangePlaces) {
  FERRULE_SKIP_WITHOUT_AVX2();
  std::uint32_t words[8][8];
  for (std::uint32_t i = 0; i < 8; ++i) {
    for (std::uint32_t j = 0; j < 8; ++j) words[i][j] = 8 * i + j;
  }
  transpose(words);
  for (std::uint32_t i = 0; i < 8; ++i) {
    for (std::uint32_t j = 0; j < 8; ++j) EXPECT_EQ(words[i][j], 8 * j + i);
  }
}

}  // namespace
}  // namespace ferrule::crypto::avx2
#endif
