#include "protocol/deadline_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace ferrule::protocol {
namespace {

constexpr PeerId kAnna{0, 0};
constexpr PeerId kBert{1, 0};

Instant at(std::int64_t ns) { return Instant::from_ns(ns); }

TEST(DeadlineHeap, AnEmptyHeapHasNoTop) {
  DeadlineHeap heap;
  EXPECT_FALSE(heap.top());
  EXPECT_EQ(heap.size(), 0u);
}

TEST(DeadlineHeap, TheTopIsTheEarliest) {
  DeadlineHeap heap;
  heap.set(kAnna, at(20));
  heap.set(kBert, at(10));
  EXPECT_EQ(heap.top()->peer, kBert);
  EXPECT_EQ(heap.top()->at, at(10));
}

TEST(DeadlineHeap, APeerHasOneDeadline) {
  DeadlineHeap heap;
  heap.set(kAnna, at(10));
  heap.set(kBert, at(20));
  heap.set(kAnna, at(30));
  EXPECT_EQ(heap.size(), 2u);
  EXPECT_EQ(heap.top()->peer, kBert);
  heap.set(kAnna, at(5));
  EXPECT_EQ(heap.size(), 2u);
  EXPECT_EQ(heap.top()->peer, kAnna);
}

TEST(DeadlineHeap, NeverRemovesTheDeadline) {
  DeadlineHeap heap;
  heap.set(kAnna, at(10));
  heap.set(kAnna, Instant::never());
  EXPECT_EQ(heap.size(), 0u);
  heap.set(kAnna, Instant::never());
  EXPECT_FALSE(heap.top());
}

TEST(DeadlineHeap, RemovingTwiceIsFine) {
  DeadlineHeap heap;
  heap.set(kAnna, at(10));
  heap.remove(kAnna);
  heap.remove(kAnna);
  heap.remove({1000, 0});
  EXPECT_EQ(heap.size(), 0u);
}

TEST(DeadlineHeap, AFormerTenantOfASlotDoesNotRemoveTheDeadlineOfTheNewOne) {
  DeadlineHeap heap;
  heap.set({3, 2}, at(10));
  heap.remove({3, 1});
  ASSERT_TRUE(heap.top());
  EXPECT_EQ(heap.top()->peer, (PeerId{3, 2}));
}

TEST(DeadlineHeap, ANewTenantTakesTheSlot) {
  DeadlineHeap heap;
  heap.set({3, 1}, at(10));
  heap.set({3, 2}, at(20));
  EXPECT_EQ(heap.size(), 1u);
  EXPECT_EQ(heap.top()->peer, (PeerId{3, 2}));
}

TEST(DeadlineHeap, DeadlinesComeInOrder) {
  std::mt19937_64 random(1);
  DeadlineHeap heap;
  std::vector<std::int64_t> deadlines;
  for (std::uint32_t slot = 0; slot < 10'000; ++slot) {
    deadlines.push_back(static_cast<std::int64_t>(random() % 5000));
    heap.set({slot, 0}, at(deadlines.back()));
  }
  std::sort(deadlines.begin(), deadlines.end());
  for (const std::int64_t deadline : deadlines) {
    ASSERT_EQ(heap.top()->at, at(deadline));
    heap.remove(heap.top()->peer);
  }
  EXPECT_EQ(heap.size(), 0u);
}

TEST(DeadlineHeap, AMillionRandomChangesAgreeWithAMap) {
  std::mt19937_64 random(2);
  DeadlineHeap heap;
  std::map<std::uint32_t, std::int64_t> model;
  std::multimap<std::int64_t, std::uint32_t> by_time;
  const auto forget = [&](std::uint32_t slot) {
    const auto known = model.find(slot);
    if (known == model.end()) return;
    auto entry = by_time.lower_bound(known->second);
    while (entry->second != slot) ++entry;
    by_time.erase(entry);
    model.erase(known);
  };
  for (int step = 0; step < 1'000'000; ++step) {
    const auto slot = static_cast<std::uint32_t>(random() % 300);
    forget(slot);
    if (random() % 3 == 0) {
      heap.remove({slot, 0});
    } else {
      const auto deadline = static_cast<std::int64_t>(random() % 1'000'000);
      model[slot] = deadline;
      by_time.emplace(deadline, slot);
      heap.set({slot, 0}, at(deadline));
    }
    ASSERT_EQ(heap.size(), model.size());
    if (model.empty()) continue;
    ASSERT_EQ(heap.top()->at, at(by_time.begin()->first));
    ASSERT_EQ(model[heap.top()->peer.slot], by_time.begin()->first);
  }
}

}  // namespace
}  // namespace ferrule::protocol
