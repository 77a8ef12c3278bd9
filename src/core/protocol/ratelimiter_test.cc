#include "protocol/ratelimiter.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "protocol/constants.h"
#include "protocol/rng_testing.h"

namespace ferrule::protocol {
namespace {

constexpr Instant kStart = Instant::from_ns(1'000'000'000'000);

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
IpAddress nth_v4(std::uint32_t n) {
  std::array<std::uint8_t, 4> bytes;
  store_be32(bytes.data(), n);
  return IpAddress::v4(bytes);
}
IpAddress nth_v6_net(std::uint32_t n) {
  std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
  store_be32(bytes.data() + 4, n);
  return IpAddress::v6(bytes);
}

class RateLimiterTest : public testing::Test {
 protected:
  // How many of `count` messages that come at once pass.
  int burst(Instant now, const IpAddress& source, int count) {
    int passed = 0;
    for (int i = 0; i < count; ++i) passed += limiter_.allow(now, source) ? 1 : 0;
    return passed;
  }

  test::RepeatableRng rng_{1};
  RateLimiter limiter_{rng_};
};

TEST_F(RateLimiterTest, P82_ABurstIsFive) { EXPECT_EQ(burst(kStart, ip("192.0.2.1"), 100), 5); }

TEST_F(RateLimiterTest, P82_ATokenComesBackEvery50Milliseconds) {
  (void)burst(kStart, ip("192.0.2.1"), 5);
  EXPECT_FALSE(limiter_.allow(kStart + 49'999us, ip("192.0.2.1")));
  EXPECT_TRUE(limiter_.allow(kStart + 50ms, ip("192.0.2.1")));
  EXPECT_FALSE(limiter_.allow(kStart + 50ms, ip("192.0.2.1")));
  EXPECT_FALSE(limiter_.allow(kStart + 99'999us, ip("192.0.2.1")));
  EXPECT_TRUE(limiter_.allow(kStart + 100ms, ip("192.0.2.1")));
}

TEST_F(RateLimiterTest, P82_AFloodPassesTwentyASecond) {
  (void)burst(kStart, ip("192.0.2.1"), 5);
  int passed = 0;
  for (Instant now = kStart + 1ms; now <= kStart + 10s; now = now + 1ms) {
    passed += limiter_.allow(now, ip("192.0.2.1")) ? 1 : 0;
  }
  EXPECT_EQ(passed, 200);
}

TEST_F(RateLimiterTest, P82_TwentyASecondPassWithoutEnd) {
  for (Instant now = kStart; now < kStart + 60s; now = now + 50ms) {
    ASSERT_TRUE(limiter_.allow(now, ip("192.0.2.1")));
  }
}

TEST_F(RateLimiterTest, P82_ARestOfAQuarterSecondGivesTheWholeBurstAgain) {
  (void)burst(kStart, ip("192.0.2.1"), 5);
  EXPECT_EQ(burst(kStart + 250ms, ip("192.0.2.1"), 100), 5);
  EXPECT_EQ(burst(kStart + 1h, ip("192.0.2.1"), 100), 5);
}

TEST_F(RateLimiterTest, P82_EachIpv4AddressHasABucket) {
  EXPECT_EQ(burst(kStart, ip("192.0.2.1"), 100), 5);
  EXPECT_EQ(burst(kStart, ip("192.0.2.2"), 100), 5);
}

TEST_F(RateLimiterTest, P82_AnIpv6NetOf64BitsHasABucket) {
  EXPECT_EQ(burst(kStart, ip("2001:db8::1"), 3), 3);
  EXPECT_EQ(burst(kStart, ip("2001:db8::ffff:1:2:3"), 100), 2);
  EXPECT_EQ(burst(kStart, ip("2001:db8:0:1::1"), 100), 5);
}

TEST_F(RateLimiterTest, P82_AnIpv4AddressIsNotAnIpv6NetOfTheSameBytes) {
  EXPECT_EQ(burst(kStart, ip("32.1.13.184"), 100), 5);
  EXPECT_EQ(burst(kStart, ip("2001:db8::"), 100), 5);
}

TEST_F(RateLimiterTest, P82_RefusalsCostNoTokens) {
  (void)burst(kStart, ip("192.0.2.1"), 1000);
  EXPECT_TRUE(limiter_.allow(kStart + 50ms, ip("192.0.2.1")));
}

TEST_F(RateLimiterTest, P82_NewSourcesPastTheBoundAreRefused) {
  for (std::uint32_t n = 0; n < kRateLimiterBound; ++n) {
    ASSERT_TRUE(limiter_.allow(kStart, nth_v6_net(n)));
  }
  EXPECT_FALSE(limiter_.allow(kStart, ip("192.0.2.1")));
  EXPECT_EQ(limiter_.size(), kRateLimiterBound);
}

TEST_F(RateLimiterTest, P82_KnownSourcesPassWhenTheTableIsFull) {
  for (std::uint32_t n = 0; n < kRateLimiterBound; ++n) (void)limiter_.allow(kStart, nth_v4(n));
  EXPECT_TRUE(limiter_.allow(kStart, nth_v4(0)));
  EXPECT_TRUE(limiter_.allow(kStart, nth_v4(kRateLimiterBound - 1)));
}

TEST_F(RateLimiterTest, P82_AFullTableTakesNewSourcesAsOldOnesAreForgotten) {
  for (std::uint32_t n = 0; n < kRateLimiterBound; ++n) {
    (void)limiter_.allow(n < 10 ? kStart : kStart + 100ms, nth_v4(n));
  }
  EXPECT_FALSE(limiter_.allow(kStart + 249ms, ip("192.0.2.1")));
  EXPECT_TRUE(limiter_.allow(kStart + 250ms, ip("192.0.2.1")));
}

TEST_F(RateLimiterTest, P82_ASourceIsForgottenOnceItsBucketIsFull) {
  (void)limiter_.allow(kStart, ip("192.0.2.1"));
  (void)limiter_.allow(kStart + 200ms, ip("192.0.2.2"));
  EXPECT_EQ(limiter_.size(), 2u);
  (void)limiter_.allow(kStart + 250ms, ip("192.0.2.2"));
  EXPECT_EQ(limiter_.size(), 1u);
}

TEST_F(RateLimiterTest, P82_EverythingIsForgottenWhenItIsIdle) {
  for (std::uint32_t n = 0; n < 1000; ++n) (void)limiter_.allow(kStart, nth_v4(n));
  limiter_.forget_idle(kStart + 249ms);
  EXPECT_EQ(limiter_.size(), 1000u);
  limiter_.forget_idle(kStart + 250ms);
  EXPECT_EQ(limiter_.size(), 0u);
}

TEST_F(RateLimiterTest, P82_AFloodIsForgottenWhileOneSourceGoesOn) {
  for (std::uint32_t n = 0; n < 1000; ++n) (void)limiter_.allow(kStart, nth_v4(n));
  Instant now = kStart + 200ms;
  for (int i = 0; i < 500; ++i, now = now + 1ms) (void)limiter_.allow(now, ip("192.0.2.1"));
  EXPECT_EQ(limiter_.size(), 1u);
}

// Forgetting is spread over the calls, and yet keeps pace with sources that come once each.
TEST_F(RateLimiterTest, P82_AStreamOfStrangersIsRememberedForAQuarterSecond) {
  for (std::uint32_t n = 0; n < 200'000; ++n) {
    ASSERT_TRUE(limiter_.allow(kStart + 10us * n, nth_v4(n)));
  }
  EXPECT_EQ(limiter_.size(), 25'000u);
}

// A bucket with tokens, counted in nanoseconds, as the kernel has it.
class Model {
 public:
  bool allow(Instant now, std::uint32_t source) {
    constexpr std::int64_t kToken = 50'000'000;
    auto [known, is_new] = buckets_.try_emplace(source, Bucket{now, 5 * kToken});
    Bucket& bucket = known->second;
    bucket.tokens_ns = std::min(5 * kToken, bucket.tokens_ns + (now - bucket.last).count());
    bucket.last = now;
    if (bucket.tokens_ns < kToken) return false;
    bucket.tokens_ns -= kToken;
    return true;
  }

 private:
  struct Bucket {
    Instant last;
    std::int64_t tokens_ns;
  };
  std::map<std::uint32_t, Bucket> buckets_;
};

TEST_F(RateLimiterTest, P82_RandomTrafficAgreesWithTokenBuckets) {
  std::mt19937_64 random(2);
  Model model;
  Instant now = kStart;
  for (int step = 0; step < 300'000; ++step) {
    const Duration longest = random() % 200 == 0 ? Duration(400ms) : Duration(1ms);
    now = now + Duration(random() % longest.count());
    const auto source = static_cast<std::uint32_t>(random() % 40);
    ASSERT_EQ(limiter_.allow(now, nth_v4(source)), model.allow(now, source)) << step;
  }
}

}  // namespace
}  // namespace ferrule::protocol
