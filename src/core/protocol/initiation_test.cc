#include "protocol/initiation.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>

#include "protocol/rng_testing.h"
#include "protocol/timers.h"

namespace ferrule::protocol {
namespace {

using enum Initiation;
using enum InitiationEvent;

constexpr std::array kStates{idle, wanted, starting, deferred, sent};
constexpr std::array kEvents{want, start, defer, send, refuse, outdate, complete, give_up, stop};
static_assert(kStates.size() == kInitiationStates && kEvents.size() == kInitiationEvents);

Initiation all(std::initializer_list<InitiationEvent> events) {
  Initiation state = idle;
  for (const InitiationEvent event : events) state = after(state, event);
  return state;
}

TEST(InitiationTable, P50_AnAnsweredHandshakeEndsWhereItBegan) {
  EXPECT_EQ(all({want, start, send, complete}), idle);
}

TEST(InitiationTable, P50_AnUnansweredOneIsSentAgainUntilItIsGivenUp) {
  EXPECT_EQ(all({want, start, send, start, send}), sent);
  EXPECT_EQ(all({want, start, send, start, send, give_up}), idle);
}

TEST(InitiationTable, P51_OneThatComesTooSoonWaitsAndIsThenSent) {
  EXPECT_EQ(all({want, start, defer}), deferred);
  EXPECT_EQ(all({want, start, defer, start, send}), sent);
}

TEST(InitiationTable, P101_AnOutdatedOneStartsOverAndNothingElseDoes) {
  EXPECT_EQ(after(sent, outdate), deferred);
  EXPECT_EQ(after(deferred, outdate), deferred);
  EXPECT_EQ(after(idle, outdate), idle);
  EXPECT_EQ(after(wanted, outdate), wanted);
}

TEST(InitiationTable, P50_AWishChangesOnlyWhereNothingIsUnderWay) {
  for (const Initiation state : kStates) {
    EXPECT_EQ(after(state, want), state == idle ? wanted : state);
  }
}

// Lanes may do that at any time.
TEST(InitiationTable, P58_WantAndCompleteCanComeInAnyState) {
  for (const Initiation state : kStates) {
    EXPECT_TRUE(is_possible(state, want));
    EXPECT_TRUE(is_possible(state, complete));
  }
}

TEST(InitiationTable, P51_OnlyWhatIsStartingIsSentDeferredOrRefused) {
  for (const Initiation state : kStates) {
    for (const InitiationEvent event : {send, defer, refuse}) {
      EXPECT_EQ(is_possible(state, event), state == starting);
    }
  }
}

TEST(InitiationTable, P50_NothingIsStartedThatNobodyWantsOrThatStartsAlready) {
  EXPECT_FALSE(is_possible(idle, start));
  EXPECT_FALSE(is_possible(starting, start));
}

TEST(InitiationTable, P59a_ADeviceThatGoesDownWaitsForNothing) {
  for (const Initiation state : {idle, wanted, deferred, sent}) EXPECT_EQ(after(state, stop), idle);
}

TEST(InitiationTable, EveryStateIsReachedAndLeft) {
  for (const Initiation state : kStates) {
    bool reached = false;
    bool left = false;
    for (const Initiation from : kStates) {
      for (const InitiationEvent event : kEvents) {
        if (!is_possible(from, event)) continue;
        reached = reached || (from != state && after(from, event) == state);
        left = left || (from == state && after(from, event) != state);
      }
    }
    EXPECT_TRUE(reached && left);
  }
}

TEST(InitiationTableDeathTest, AnEventThatCanNotComeIsAProgrammingError) {
  EXPECT_DEATH((void)after(idle, send), "broken invariant");
}

// The session comes by a lane, between the deadline and the look at what was due.
TEST(InitiationTimer, P58_AHandshakeThatIsCompleteIsNotSentAgain) {
  test::RepeatableRng rng(1);
  const Instant begin = Instant::from_ns(1'000'000'000);
  Timers timers;
  timers.want_handshake();
  ASSERT_TRUE(timers.take_wanted());
  timers.handshake_initiated(begin, rng);
  const Instant later = begin + 6s;
  ASSERT_TRUE(timers.take_due(later)[static_cast<std::size_t>(Timer::retransmit)]);
  timers.handshake_complete();
  EXPECT_EQ(timers.next_attempt(later), Timers::Attempt::none);
  EXPECT_FALSE(timers.armed(Timer::retransmit));
}

TEST(InitiationTimer, P50_AWishDuringTheLookAtATimerIsTheSameHandshake) {
  test::RepeatableRng rng(1);
  const Instant begin = Instant::from_ns(1'000'000'000);
  Timers timers;
  timers.want_handshake();
  ASSERT_TRUE(timers.take_wanted());
  timers.handshake_initiated(begin, rng);
  const Instant later = begin + 6s;
  (void)timers.take_due(later);
  timers.want_handshake();
  EXPECT_FALSE(timers.take_wanted());
  EXPECT_EQ(timers.next_attempt(later), Timers::Attempt::again);
}

}  // namespace
}  // namespace ferrule::protocol
