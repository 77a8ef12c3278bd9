#include "protocol/keypair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

namespace ferrule::protocol {
namespace {

constexpr Instant kBirth = Instant::from_ns(1'000);

KeypairRef fresh(bool initiator, std::uint32_t index = 0) {
  return make_keypair({}, {PeerId{0, 0}, LocalIndex{index}, RemoteIndex{0}, initiator}, kBirth);
}

TEST(KeypairTest, P44_CountersEndBeforeTheLimit) {
  const KeypairRef keypair = fresh(true);
  EXPECT_EQ(keypair->reserve(kRejectAfterMessages - 1), 0u);
  EXPECT_EQ(keypair->reserve(1), kRejectAfterMessages - 1);
  EXPECT_EQ(keypair->reserve(1), std::nullopt);
}

TEST(KeypairTest, P44a_ABatchThatWouldPassTheLimitEndsTheKeypair) {
  const KeypairRef keypair = fresh(true);
  ASSERT_TRUE(keypair->reserve(kRejectAfterMessages - 5));
  EXPECT_EQ(keypair->reserve(6), std::nullopt);
  EXPECT_FALSE(keypair->may_send(kBirth));
  EXPECT_EQ(keypair->next_counter(), kRejectAfterMessages - 5);
}

TEST(KeypairTest, P44a_ACounterNeverWraps) {
  const KeypairRef keypair = fresh(true);
  ASSERT_TRUE(keypair->reserve(kRejectAfterMessages));
  for (const std::uint64_t count : {std::uint64_t{1}, std::uint64_t{1} << 63, UINT64_MAX}) {
    EXPECT_EQ(keypair->reserve(count), std::nullopt);
  }
}

TEST(KeypairTest, P44a_CountersHave64BitsOnEveryCpu) {
  const KeypairRef keypair = fresh(true);
  ASSERT_TRUE(keypair->reserve(UINT32_MAX));
  EXPECT_EQ(keypair->reserve(2), std::uint64_t{UINT32_MAX});
  EXPECT_EQ(keypair->reserve(1), (std::uint64_t{1} << 32) + 1);
}

TEST(KeypairTest, P45_TooOldAt180Seconds) {
  const KeypairRef keypair = fresh(true);
  EXPECT_TRUE(keypair->may_send(kBirth + 180s - 1ns));
  EXPECT_FALSE(keypair->may_send(kBirth + 180s));
  EXPECT_TRUE(keypair->expired(kBirth + 180s));
}

TEST(KeypairSlotsTest, P41_InitiatorsKeypairIsCurrentAtOnce) {
  KeypairSlots slots;
  KeypairSlots::Retired retired;
  const KeypairRef first = fresh(true);
  const KeypairRef second = fresh(true);
  slots.install(first, retired);
  slots.install(second, retired);
  EXPECT_EQ(slots.current(), second);
  EXPECT_EQ(slots.previous(), first);
}

// Both sides have both keypairs; only one of each pair of slots is looked at.
class CrossedSlots : public ::testing::Test {
 protected:
  void cross(Crossing crossing) {
    slots.install(old, retired);
    slots.install(theirs, retired);
    slots.install(ours, retired, crossing);
  }
  KeypairSlots slots;
  KeypairSlots::Retired retired;
  const KeypairRef old = fresh(true), theirs = fresh(false), ours = fresh(true);
};

TEST_F(CrossedSlots, P34a_OursIsSentWithAndNeitherTheOldNorTheirsGoes) {
  cross(Crossing::yields);
  EXPECT_EQ(slots.current(), ours);
  EXPECT_EQ(slots.next(), theirs);
  EXPECT_EQ(slots.previous(), old);
}

TEST_F(CrossedSlots, P34a_OneThatYieldsDoesSoOnceTheirsIsUsed) {
  cross(Crossing::yields);
  EXPECT_TRUE(slots.confirm(theirs.get(), retired));
  EXPECT_EQ(slots.current(), theirs);
  EXPECT_EQ(slots.previous(), ours);
  EXPECT_FALSE(slots.confirm(ours.get(), retired));
  EXPECT_EQ(slots.current(), theirs);
}

TEST_F(CrossedSlots, P34a_OneThatStaysComesBackOnceItIsUsed) {
  cross(Crossing::stays);
  EXPECT_FALSE(slots.confirm(old.get(), retired));
  EXPECT_EQ(slots.current(), ours);
  EXPECT_TRUE(slots.confirm(theirs.get(), retired));
  EXPECT_EQ(slots.current(), theirs);
  EXPECT_FALSE(slots.confirm(ours.get(), retired));
  EXPECT_EQ(slots.current(), ours);
  EXPECT_EQ(slots.previous(), theirs);
}

TEST_F(CrossedSlots, P34a_TheirsGoesAtTheNextHandshakeIfItWasNeverUsed) {
  cross(Crossing::stays);
  const KeypairRef later = fresh(true);
  slots.install(later, retired);
  EXPECT_EQ(slots.current(), later);
  EXPECT_EQ(slots.previous(), ours);
  EXPECT_FALSE(slots.next());
}

TEST(KeypairSlotsTest, P42_RespondersKeypairWaitsInNext) {
  KeypairSlots slots;
  KeypairSlots::Retired retired;
  const KeypairRef keypair = fresh(false);
  slots.install(keypair, retired);
  EXPECT_FALSE(slots.current());
  EXPECT_EQ(slots.next(), keypair);
  EXPECT_TRUE(slots.confirm(keypair.get(), retired));
  EXPECT_EQ(slots.current(), keypair);
  EXPECT_FALSE(slots.confirm(keypair.get(), retired));
}

TEST(KeypairSlotsTest, P46_WhatFallsOutIsDetachedAndHandedOver) {
  KeypairSlots slots;
  KeypairSlots::Retired retired;
  const KeypairRef first = fresh(true);
  slots.install(first, retired);
  slots.clear(retired);
  ASSERT_EQ(retired.first(), first.get());
  EXPECT_EQ(RetiredKeypairs::after(*first), nullptr);
  EXPECT_FALSE(first->attached());
  EXPECT_FALSE(first->may_send(kBirth));
}

TEST(KeypairSlotsTest, WhatFallsOutStaysCounted) {
  KeypairSlots slots;
  KeypairSlots::Retired retired;
  for (int i = 0; i < 5; ++i) {
    const KeypairRef keypair = fresh(true);
    slots.install(keypair, retired);
    EXPECT_TRUE(keypair->replay().accept(2));
    EXPECT_TRUE(keypair->replay().accept(1));
  }
  EXPECT_EQ(slots.counts(), (MessageCounts{10, 15}));
  slots.clear(retired);
  EXPECT_EQ(slots.counts(), (MessageCounts{10, 15}));
}

TEST(KeypairSlotsTest, AllSlotsAreCounted) {
  KeypairSlots slots;
  KeypairSlots::Retired retired;
  const KeypairRef previous = fresh(true);
  const KeypairRef current = fresh(true);
  const KeypairRef next = fresh(false);
  slots.install(previous, retired);
  slots.install(current, retired);
  EXPECT_EQ(slots.previous(), previous);
  EXPECT_TRUE(previous->replay().accept(0));
  EXPECT_TRUE(current->replay().accept(10));
  EXPECT_EQ(slots.counts(), (MessageCounts{2, 12}));
  slots.install(next, retired);
  EXPECT_TRUE(next->replay().accept(100));
  EXPECT_EQ(slots.counts(), (MessageCounts{3, 113}));
}

// The slots as the rules tell them, word for word.
struct Model {
  std::optional<std::uint32_t> previous, current, next;
  Crossing crossed = Crossing::none;
  void install(std::uint32_t id, bool initiator, Crossing crossing) {
    const Crossing before = std::exchange(crossed, Crossing::none);
    if (initiator && crossing != Crossing::none && next) {
      crossed = crossing;
      previous = current;
      current = id;
    } else if (initiator) {
      if (before != Crossing::none) next.reset();
      if (next) {
        previous = next;
        next.reset();
      } else {
        previous = current;
      }
      current = id;
    } else {
      next = id;
      previous.reset();
    }
  }
  void confirm(std::uint32_t id) {
    if (next == id) {
      previous = current;
      current = next;
      next.reset();
      if (crossed == Crossing::yields) crossed = Crossing::none;
    } else if (previous == id && !next && crossed == Crossing::stays) {
      std::swap(previous, current);
      crossed = Crossing::none;
    }
  }
};

std::optional<std::uint32_t> name(const KeypairRef& slot) {
  if (!slot) return std::nullopt;
  return slot->local_index().value;
}

TEST(KeypairSlotsTest, P40_SlotsFollowANaiveModel) {
  std::mt19937 random(1);
  KeypairSlots slots;
  Model model;
  KeypairSlots::Retired retired;
  for (std::uint32_t id = 1; id < 100'000; ++id) {
    const KeypairRef known[] = {slots.previous(), slots.current(), slots.next()};
    if (random() % 2 == 0) {
      const bool initiator = random() % 2 == 0;
      const auto crossing = static_cast<Crossing>(initiator ? random() % 3 : 0);
      slots.install(fresh(initiator, id), retired, crossing);
      model.install(id, initiator, crossing);
    } else if (const KeypairRef& used = known[random() % 3]) {
      (void)slots.confirm(used.get(), retired);
      model.confirm(used->local_index().value);
    }
    ASSERT_EQ(name(slots.previous()), model.previous);
    ASSERT_EQ(name(slots.current()), model.current);
    ASSERT_EQ(name(slots.next()), model.next);
    retired.clear();
  }
}

}  // namespace
}  // namespace ferrule::protocol
