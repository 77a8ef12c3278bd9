#include "protocol/replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "protocol/constants.h"

namespace ferrule::protocol {
namespace {

constexpr std::uint64_t kStart = 1'000'000;

ReplayWindow window_at(std::uint64_t greatest) {
  ReplayWindow window;
  EXPECT_TRUE(window.accept(greatest));
  return window;
}

TEST(Replay, P43_TheWindowIs8128) { EXPECT_EQ(kReplayWindow, 8128u); }

TEST(Replay, P43_TheFirstCounterIsZero) {
  ReplayWindow window;
  EXPECT_TRUE(window.accept(0));
  EXPECT_FALSE(window.accept(0));
}

TEST(Replay, P43_TheFirstToArriveNeedNotBeZero) {
  ReplayWindow window = window_at(5);
  for (std::uint64_t counter = 0; counter < 5; ++counter) EXPECT_TRUE(window.accept(counter));
  EXPECT_FALSE(window.accept(5));
}

TEST(Replay, P43_DuplicateIsDropped) {
  ReplayWindow window = window_at(kStart);
  EXPECT_FALSE(window.accept(kStart));
  EXPECT_TRUE(window.accept(kStart - 1));
  EXPECT_FALSE(window.accept(kStart - 1));
}

TEST(Replay, P43_ACounterAtTheFarEdgeIsAcceptedOnce) {
  ReplayWindow window = window_at(kStart);
  EXPECT_TRUE(window.accept(kStart - 8128));
  EXPECT_FALSE(window.accept(kStart - 8128));
}

TEST(Replay, P43_ACounterBehindTheWindowIsDropped) {
  for (const std::uint64_t behind : {8129u, 8130u, 8191u, 8192u, 8193u, 100'000u}) {
    ReplayWindow window = window_at(kStart);
    EXPECT_FALSE(window.accept(kStart - behind)) << behind;
  }
}

// Where in a word the greatest counter stands must not matter to the edges.
TEST(Replay, P43_TheEdgesAreTheSameAtEveryPlaceInAWord) {
  for (std::uint64_t greatest = kStart; greatest < kStart + 128; ++greatest) {
    ReplayWindow window = window_at(greatest);
    EXPECT_TRUE(window.accept(greatest - 8127));
    EXPECT_TRUE(window.accept(greatest - 8128));
    EXPECT_FALSE(window.accept(greatest - 8129));
    EXPECT_FALSE(window.accept(greatest));
  }
}

TEST(Replay, P43_EveryCounterOfTheWindowIsAcceptedOnce) {
  ReplayWindow window = window_at(kStart);
  for (std::uint64_t behind = 1; behind <= 8128; ++behind) {
    ASSERT_TRUE(window.accept(kStart - behind)) << behind;
  }
  for (std::uint64_t behind = 0; behind <= 8128; ++behind) {
    ASSERT_FALSE(window.accept(kStart - behind)) << behind;
  }
}

// After a jump, what was seen and still is in the window stays seen, and what was skipped is not.
void expect_jump_keeps_the_window(std::uint64_t start, std::uint64_t jump) {
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  for (std::uint64_t counter = start; counter < start + 8200; counter += 3) {
    ASSERT_TRUE(window.accept(counter));
    seen.insert(counter);
  }
  const std::uint64_t greatest = *seen.rbegin() + jump;
  ASSERT_TRUE(window.accept(greatest));
  seen.insert(greatest);
  const std::uint64_t oldest = greatest - std::min<std::uint64_t>(greatest, 8128);
  for (std::uint64_t counter = oldest; counter <= greatest; ++counter) {
    ASSERT_EQ(window.accept(counter), !seen.contains(counter)) << start << '+' << jump;
  }
}

TEST(Replay, P43_JumpsAboutTheSizeOfAWordKeepTheWindow) {
  for (std::uint64_t start = 0; start < 64; ++start) {
    for (const std::uint64_t jump : {1u, 62u, 63u, 64u, 65u, 66u, 127u, 128u, 129u}) {
      ASSERT_NO_FATAL_FAILURE(expect_jump_keeps_the_window(start, jump));
    }
  }
}

TEST(Replay, P43_JumpsAboutTheSizeOfTheWindowKeepTheWindow) {
  for (std::uint64_t jump = 8127; jump <= 8193; ++jump) {
    ASSERT_NO_FATAL_FAILURE(expect_jump_keeps_the_window(kStart, jump));
  }
}

TEST(Replay, P43_HugeJumpsClearTheWindow) {
  for (unsigned shift = 14; shift < 64; ++shift) {
    ASSERT_NO_FATAL_FAILURE(expect_jump_keeps_the_window(kStart, std::uint64_t{1} << shift));
  }
}

TEST(Replay, P43_AJumpByWholeTurnsOfTheRingForgetsWhatStoodThere) {
  ReplayWindow window = window_at(kStart);
  for (int turn = 1; turn <= 3; ++turn) {
    EXPECT_TRUE(window.accept(kStart + std::uint64_t{8192} * turn));
  }
  EXPECT_FALSE(window.accept(kStart));
}

TEST(Replay, P44_TheLastCounterIsTheOneBeforeTheLimit) {
  ReplayWindow window;
  EXPECT_FALSE(window.accept(kRejectAfterMessages));
  EXPECT_TRUE(window.accept(kRejectAfterMessages - 1));
  EXPECT_FALSE(window.accept(kRejectAfterMessages));
  EXPECT_FALSE(window.accept(UINT64_MAX));
}

TEST(Replay, P44_ARefusedCounterDoesNotMoveTheWindow) {
  ReplayWindow window = window_at(kStart);
  EXPECT_FALSE(window.accept(UINT64_MAX));
  EXPECT_TRUE(window.accept(kStart - 8128));
  EXPECT_TRUE(window.accept(kStart + 1));
}

TEST(Replay, P43_TheWindowWorksUpToTheLimit) {
  const std::uint64_t last = kRejectAfterMessages - 1;
  ReplayWindow window = window_at(last);
  EXPECT_TRUE(window.accept(last - 8128));
  EXPECT_FALSE(window.accept(last - 8129));
  EXPECT_FALSE(window.accept(0));
}

// What the window is held against: everything ever accepted.
class Model {
 public:
  bool accept(std::uint64_t counter) {
    if (!seen_.empty() && *seen_.rbegin() > counter && *seen_.rbegin() - counter > kReplayWindow) {
      return false;
    }
    if (!seen_.insert(counter).second) return false;
    // What has fallen out of the window can be forgotten.
    if (*seen_.rbegin() > kReplayWindow) {
      seen_.erase(seen_.begin(), seen_.lower_bound(*seen_.rbegin() - kReplayWindow));
    }
    return true;
  }
  std::uint64_t greatest() const { return seen_.empty() ? 0 : *seen_.rbegin(); }

 private:
  std::set<std::uint64_t> seen_;
};

TEST(Replay, P43_AMillionRandomCountersAgreeWithASet) {
  std::mt19937_64 random(1);
  ReplayWindow window;
  Model model;
  for (int step = 0; step < 1'000'000; ++step) {
    std::uint64_t counter = model.greatest();
    switch (random() % 8) {
      case 0:
        counter += random() % 200;
        break;
      case 1:
        counter += random() % (random() % 500 == 0 ? 20'000 : 3);
        break;
      default:
        counter -= std::min<std::uint64_t>(counter, random() % 8300);
    }
    ASSERT_EQ(window.accept(counter), model.accept(counter)) << "step " << step;
  }
}

// --- what the window tells of loss ------------------------------------------------------------

TEST(ReplayCounts, NothingIsExpectedOfWhatHasNotBegun) {
  EXPECT_EQ(ReplayWindow().counts(), (MessageCounts{0, 0}));
}

TEST(ReplayCounts, AGapIsLost) {
  ReplayWindow window;
  for (const std::uint64_t counter : {0, 1, 4, 5}) EXPECT_TRUE(window.accept(counter));
  EXPECT_EQ(window.counts(), (MessageCounts{4, 6}));
  EXPECT_EQ(window.counts().lost(), 2u);
}

TEST(ReplayCounts, WhatIsMissingBeforeTheFirstToArriveIsLost) {
  EXPECT_EQ(window_at(9).counts(), (MessageCounts{1, 10}));
}

TEST(ReplayCounts, WhatComesLateWasNotLost) {
  ReplayWindow window;
  for (const std::uint64_t counter : {3, 0, 2, 1}) EXPECT_TRUE(window.accept(counter));
  EXPECT_EQ(window.counts(), (MessageCounts{4, 4}));
}

TEST(ReplayCounts, ADuplicateMakesUpForNothing) {
  ReplayWindow window;
  EXPECT_TRUE(window.accept(2));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(window.accept(2));
  EXPECT_EQ(window.counts(), (MessageCounts{1, 3}));
}

TEST(ReplayCounts, WhatComesTooLateIsLost) {
  ReplayWindow window = window_at(kReplayWindow + 1);
  EXPECT_FALSE(window.accept(0));
  EXPECT_EQ(window.counts(), (MessageCounts{1, kReplayWindow + 2}));
}

TEST(ReplayCounts, ALostMessageIsCountedUnderAnyOrderAndRepetition) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::set<std::uint64_t> arrived;
    std::vector<std::uint64_t> arrivals;
    for (std::uint64_t counter = 0; counter < 2000; ++counter) {
      if (random() % 10 == 0) continue;
      arrived.insert(counter);
      for (std::uint32_t copies = 1 + random() % 3; copies > 0; --copies) {
        arrivals.push_back(counter);
      }
    }
    std::ranges::shuffle(arrivals, random);
    ReplayWindow window;
    for (const std::uint64_t counter : arrivals) (void)window.accept(counter);
    EXPECT_EQ(window.counts(), (MessageCounts{arrived.size(), *arrived.rbegin() + 1}));
  }
}

}  // namespace
}  // namespace ferrule::protocol
