#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include "crypto/interleaved/skip_testing.h"

namespace ferrule::crypto::interleaved {
namespace {

FERRULE_VECTOR void transpose_words(std::uint32_t (&words)[kLanes][kLanes]) {
  Vec rows[kLanes];
  for (unsigned i = 0; i < kLanes; ++i) rows[i] = load(words[i]);
  transpose(rows);
  for (unsigned i = 0; i < kLanes; ++i) store(words[i], rows[i]);
}

TEST(InterleavedTranspose, RowsAndColumnsChangePlaces) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  std::uint32_t words[kLanes][kLanes];
  for (std::uint32_t i = 0; i < kLanes; ++i) {
    for (std::uint32_t j = 0; j < kLanes; ++j) words[i][j] = kLanes * i + j;
  }
  transpose_words(words);
  for (std::uint32_t i = 0; i < kLanes; ++i) {
    for (std::uint32_t j = 0; j < kLanes; ++j) EXPECT_EQ(words[i][j], kLanes * j + i);
  }
}

}  // namespace
}  // namespace ferrule::crypto::interleaved
#endif
