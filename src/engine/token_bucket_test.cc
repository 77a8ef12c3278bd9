#include "engine/token_bucket.h"

#include <gtest/gtest.h>

namespace ferrule::engine {
namespace {

constexpr Instant kStart = Instant::from_ns(1'000'000'000'000);

std::size_t take_all(TokenBucket& bucket, Instant now) {
  std::size_t taken = 0;
  while (bucket.take(now)) ++taken;
  return taken;
}

TEST(TokenBucket, ABurstIsAllowedAtOnce) {
  TokenBucket bucket(1000, 50);
  EXPECT_EQ(take_all(bucket, kStart), 50u);
}

TEST(TokenBucket, TokensComeBackOneByOne) {
  TokenBucket bucket(1000, 50);
  (void)take_all(bucket, kStart);
  EXPECT_FALSE(bucket.take(kStart + 999us));
  EXPECT_TRUE(bucket.take(kStart + 1ms));
  EXPECT_FALSE(bucket.take(kStart + 1ms));
}

TEST(TokenBucket, ALongPauseGivesNoMoreThanABurst) {
  TokenBucket bucket(1000, 50);
  (void)take_all(bucket, kStart);
  EXPECT_EQ(take_all(bucket, kStart + 24h), 50u);
}

TEST(TokenBucket, OverTimeTheRateHolds) {
  TokenBucket bucket(1000, 50);
  (void)take_all(bucket, kStart);
  std::size_t taken = 0;
  for (Duration t = 0s; t <= 2s; t += 100us) taken += bucket.take(kStart + t) ? 1 : 0;
  EXPECT_EQ(taken, 2000u);
}

TEST(TokenBucket, WorkersWhoseClocksDifferEarnNothingByIt) {
  TokenBucket bucket(1000, 50);
  (void)take_all(bucket, kStart);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_FALSE(bucket.take(kStart - 10us));
    ASSERT_FALSE(bucket.take(kStart));
  }
}

}  // namespace
}  // namespace ferrule::engine
