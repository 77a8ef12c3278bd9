#include "crypto/random.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/secret.h"

namespace ferrule::crypto {
namespace {

TEST(SystemRng, P35_FillsTheWholeBuffer) {
  SystemRng rng;
  // getrandom gives at most 32 MiB at once.
  std::vector<std::uint8_t> bytes((32 << 20) + 32);
  ASSERT_TRUE(rng.fill(bytes));
  EXPECT_FALSE(constant_time_is_zero(Bytes(bytes).last(32)));
}

TEST(SystemRng, GivesOtherBytesEachTime) {
  SystemRng rng;
  std::array<std::uint8_t, 32> first{};
  std::array<std::uint8_t, 32> second{};
  ASSERT_TRUE(rng.fill(first));
  ASSERT_TRUE(rng.fill(second));
  EXPECT_NE(first, second);
}

TEST(SystemRng, TakesAnEmptyBuffer) {
  SystemRng rng;
  EXPECT_TRUE(rng.fill({}));
}

}  // namespace
}  // namespace ferrule::crypto
