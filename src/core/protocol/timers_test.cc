// The jitter of data's timer. What timers do to a device is in device_timers_test.cc.
#include "protocol/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "protocol/constants.h"
#include "protocol/rng_testing.h"

namespace ferrule::protocol {
namespace {

constexpr Instant kNow = Instant() + 1000s;

// What comes on top of the wait when data is sent and nothing was for a while.
Duration jitter_of(Timers& timers, Rng& rng) {
  timers.data_sent(kNow, rng);
  const Duration jitter = timers.deadline(Timer::new_handshake) - kNow - kNewHandshakeAfter;
  timers.any_authenticated_packet_received();
  return jitter;
}

TEST(Timers, P53_JitterIsSpreadOverItsWholeRange) {
  test::RepeatableRng rng(1);
  Timers timers;
  std::set<Duration> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(jitter_of(timers, rng));
  EXPECT_GT(seen.size(), 9'000u);
  EXPECT_GE(*seen.begin(), Duration::zero());
  EXPECT_LT(*seen.begin(), 1ms);
  EXPECT_LT(*seen.rbegin(), kMaxTimerJitter);
  EXPECT_GT(*seen.rbegin(), kMaxTimerJitter - 1ms);
}

TEST(Timers, P53_TwoPeersDoNotStayInStep) {
  test::RepeatableRng rng(2);
  Timers one;
  Timers other;
  int equal = 0;
  for (int i = 0; i < 1000; ++i) equal += jitter_of(one, rng) == jitter_of(other, rng) ? 1 : 0;
  EXPECT_LT(equal, 10);
}

TEST(Timers, P53_AsksForRandomnessOnce) {
  test::ByteRng rng{0x11, 0x22};
  Timers timers;
  for (int i = 0; i < 100; ++i) jitter_of(timers, rng);
  EXPECT_EQ(rng.left(), 1u);
}

TEST(Timers, P53_NoJitterWithoutRandomnessAndSomeWhenThereIs) {
  test::ByteRng none{};
  test::ByteRng zero{0x00};  // as good as none
  test::ByteRng some{0x11};
  Timers timers;
  EXPECT_EQ(jitter_of(timers, none), Duration::zero());
  EXPECT_EQ(jitter_of(timers, zero), Duration::zero());
  EXPECT_GT(jitter_of(timers, some), Duration::zero());
}

}  // namespace
}  // namespace ferrule::protocol
