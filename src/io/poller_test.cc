// What a Poller promises: the system's own, and its twin in memory.
#include "io/poller.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/clock.h"
#include "io/linux/event_loop.h"
#include "io/memory/memory_poller.h"

namespace ferrule::io {
namespace {

// Something to wait for: readable from set() to clear().
class Signal {
 public:
  virtual ~Signal() = default;
  [[nodiscard]] virtual Waitable waitable() const = 0;
  virtual void set() = 0;
  virtual void clear() = 0;
};

// Pollers, and what they can wait for.
class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::unique_ptr<Poller> poller() = 0;
  virtual std::unique_ptr<Signal> signal() = 0;
};

class SystemKind final : public Kind {
 public:
  std::unique_ptr<Poller> poller() override { return std::move(*open_poller()); }
  std::unique_ptr<Signal> signal() override { return std::make_unique<Event>(); }

 private:
  struct Event final : Signal {
    [[nodiscard]] Waitable waitable() const override { return Waitable(event.poll_fd()); }
    void set() override { event.signal(); }
    void clear() override { event.drain(); }
    EventFd event = std::move(*EventFd::open());
  };
};

class MemoryKind final : public Kind {
 public:
  std::unique_ptr<Poller> poller() override { return std::make_unique<MemoryPoller>(events_); }
  std::unique_ptr<Signal> signal() override { return std::make_unique<InMemory>(events_); }

 private:
  struct InMemory final : Signal {
    explicit InMemory(MemoryEvents& events) : inner(events) {}
    [[nodiscard]] Waitable waitable() const override { return inner.waitable(); }
    void set() override { inner.set(); }
    void clear() override { inner.clear(); }
    MemorySignal inner;
  };
  MemoryEvents events_;
};

std::unique_ptr<Kind> make_kind(const std::string& name) {
  if (name == "System") return std::make_unique<SystemKind>();
  return std::make_unique<MemoryKind>();
}

class PollerTest : public ::testing::TestWithParam<std::string> {
 protected:
  // What is there now, by tags.
  std::vector<std::uint64_t> look() {
    std::array<Ready, 8> room;
    std::vector<std::uint64_t> tags;
    for (const Ready& ready : poller->wait(room, Instant())) tags.push_back(ready.tag);
    return tags;
  }
  // What comes within five seconds.
  std::vector<std::uint64_t> await() {
    const Instant end = now().boot + 5s;
    std::array<Ready, 8> room;
    std::vector<std::uint64_t> tags;
    while (tags.empty() && now().boot < end) {
      for (const Ready& ready : poller->wait(room, end)) tags.push_back(ready.tag);
    }
    return tags;
  }

  std::unique_ptr<Kind> kind = make_kind(GetParam());
  std::unique_ptr<Poller> poller = kind->poller();
  std::unique_ptr<Signal> first = kind->signal();
  std::unique_ptr<Signal> second = kind->signal();
  Signal& one = *first;
  Signal& two = *second;
};

INSTANTIATE_TEST_SUITE_P(All, PollerTest, ::testing::Values("System", "Memory"),
                         [](const auto& named) { return named.param; });

using Tags = std::vector<std::uint64_t>;

TEST_P(PollerTest, WhatIsReadyComesWithItsTag) {
  ASSERT_TRUE(poller->add(one.waitable(), {}, 11));
  ASSERT_TRUE(poller->add(two.waitable(), {}, 22));
  EXPECT_EQ(look(), Tags{});
  two.set();
  EXPECT_EQ(await(), Tags{22});
}

TEST_P(PollerTest, ItComesAgainUntilItIsReadyNoLonger) {
  ASSERT_TRUE(poller->add(one.waitable(), {}, 1));
  one.set();
  EXPECT_EQ(look(), Tags{1});
  EXPECT_EQ(look(), Tags{1});
  one.clear();
  EXPECT_EQ(look(), Tags{});
}

TEST_P(PollerTest, WhereChangesAreWatchedWhatLiesThereIsToldOnce) {
  one.set();
  ASSERT_TRUE(poller->add(one.waitable(), {.changes = true}, 1));
  EXPECT_EQ(look(), Tags{1});
  EXPECT_EQ(look(), Tags{});
  one.set();
  EXPECT_EQ(look(), Tags{1});
}

TEST_P(PollerTest, WhereChangesAreWatchedThatItCanBeWrittenToIsToldOnce) {
  ASSERT_TRUE(poller->add(one.waitable(), {.reading = false, .writing = true, .changes = true}, 1));
  EXPECT_EQ(look(), Tags{1});
  EXPECT_EQ(look(), Tags{});
}

TEST_P(PollerTest, WhatIsWatchedOnceIsSilentUntilItIsArmedAgain) {
  ASSERT_TRUE(poller->add(one.waitable(), {.once = true}, 1));
  one.set();
  EXPECT_EQ(look(), Tags{1});
  EXPECT_EQ(look(), Tags{});
  poller->rearm(one.waitable(), {.once = true}, 2);
  EXPECT_EQ(look(), Tags{2}) << "it was ready all the time";
  EXPECT_EQ(look(), Tags{});
}

TEST_P(PollerTest, WhatIsReadyBeforeItIsAddedComesToo) {
  one.set();
  ASSERT_TRUE(poller->add(one.waitable(), {}, 1));
  EXPECT_EQ(look(), Tags{1});
}

TEST_P(PollerTest, WhatIsRemovedComesNoMore) {
  ASSERT_TRUE(poller->add(one.waitable(), {}, 1));
  poller->remove(one.waitable());
  one.set();
  EXPECT_EQ(look(), Tags{});
  EXPECT_TRUE(poller->add(one.waitable(), {}, 3));
  EXPECT_EQ(look(), Tags{3});
}

TEST_P(PollerTest, ReadingAndWritingAreToldApart) {
  ASSERT_TRUE(poller->add(one.waitable(), {.reading = false, .writing = true}, 1));
  std::array<Ready, 4> room;
  std::span<Ready> came = poller->wait(room, Instant());
  ASSERT_EQ(came.size(), 1u);
  EXPECT_TRUE(came[0].writable);
  EXPECT_FALSE(came[0].readable);
  one.set();
  poller->rearm(one.waitable(), {}, 1);
  came = poller->wait(room, Instant());
  ASSERT_EQ(came.size(), 1u);
  EXPECT_TRUE(came[0].readable);
  EXPECT_FALSE(came[0].writable);
  EXPECT_FALSE(came[0].broken);
}

TEST_P(PollerTest, NothingCannotBeWaitedFor) {
  EXPECT_FALSE(Waitable());
  EXPECT_FALSE(poller->add(Waitable(), {}, 1));
}

TEST_P(PollerTest, RoomForOneTakesOneAtATime) {
  ASSERT_TRUE(poller->add(one.waitable(), {.once = true}, 1));
  ASSERT_TRUE(poller->add(two.waitable(), {.once = true}, 2));
  one.set();
  two.set();
  std::array<Ready, 1> room;
  std::uint64_t sum = 0;
  for (int i = 0; i < 2; ++i) {
    for (const Ready& ready : poller->wait(room, Instant())) sum += ready.tag;
  }
  EXPECT_EQ(sum, 3u);
}

TEST_P(PollerTest, AWaitEndsAtItsDeadlineAndNotMuchBefore) {
  std::array<Ready, 1> room;
  const Instant deadline = now().boot + 2'500us;
  while (now().boot < deadline) EXPECT_TRUE(poller->wait(room, deadline).empty());
  EXPECT_LT(now().boot, deadline + 5s);
}

TEST_P(PollerTest, ADeadlineMayComeAgainBeSoonerAndBeLater) {
  std::array<Ready, 1> room;
  for (const Duration wait : {20ms, 1ms, 5ms, 5ms}) {
    const Instant deadline = now().boot + wait;
    while (now().boot < deadline) EXPECT_TRUE(poller->wait(room, deadline).empty());
  }
}

TEST_P(PollerTest, ADeadlineThatHasPassedDoesNotWait) {
  ASSERT_TRUE(poller->add(one.waitable(), {}, 1));
  std::array<Ready, 1> room;
  for (const Instant past : {Instant(), Instant::from_ns(-5), now().boot - 1s}) {
    EXPECT_TRUE(poller->wait(room, past).empty());
  }
  one.set();
  EXPECT_EQ(poller->wait(room, now().boot - 1s).size(), 1u) << "but what is there comes";
}

TEST_P(PollerTest, WakingComesOnce) {
  poller->wake();
  EXPECT_EQ(look(), Tags{Poller::kWoken});
  EXPECT_EQ(look(), Tags{});
  poller->wake();
  poller->wake();
  EXPECT_EQ(look(), Tags{Poller::kWoken});
  EXPECT_EQ(look(), Tags{});
}

TEST_P(PollerTest, AnotherThreadWakesWhoWaits) {
  std::thread waker([this] { poller->wake(); });
  EXPECT_EQ(await(), Tags{Poller::kWoken});
  waker.join();
}

TEST_P(PollerTest, EachOfManyThatWaitIsReachedIfEachWakesTheNext) {
  constexpr int kThreads = 4;
  std::atomic<bool> stopping{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      std::array<Ready, 4> room;
      while (!stopping) (void)poller->wait(room, std::nullopt);
      poller->wake();
    });
  }
  stopping = true;
  poller->wake();
  for (std::thread& thread : threads) thread.join();
}

TEST_P(PollerTest, WhatIsWatchedOnceComesToOneOfMany) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::atomic<int> came{0};
  std::atomic<bool> stopping{false};
  ASSERT_TRUE(poller->add(one.waitable(), {.once = true}, 1));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      std::array<Ready, 4> room;
      while (!stopping) {
        for (const Ready& ready : poller->wait(room, std::nullopt)) {
          if (ready.tag == 1) {
            one.clear();
            ++came;
            came.notify_one();
          }
        }
      }
      poller->wake();
    });
  }
  for (int round = 1; round <= kRounds; ++round) {
    one.set();
    for (int seen = came; seen != round; seen = came) came.wait(seen);
    poller->rearm(one.waitable(), {.once = true}, 1);
  }
  EXPECT_EQ(came, kRounds);
  stopping = true;
  poller->wake();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ferrule::io
