// No control call does everything at once: each stops when its budget is spent, says that there is more,
// and loses nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

constexpr std::size_t kPeers = 300;

class Budgets : public ::testing::Test {
 protected:
  Budgets() {
    a.set_key(1);
    DeviceChange change;
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      PeerChange& peer = change.peers.emplace_back();
      store_le32(peer.public_key.bytes.data(), i);
      peer.public_key.bytes[31] = 1;
      peer.endpoint = Endpoint::parse("192.0.2.9:9");
      peer.persistent_keepalive_s = 25;
    }
    a.apply(std::move(change));
  }
  std::vector<PeerId> all_peers() {
    std::vector<PeerId> ids;
    for (std::uint32_t slot = 0; slot < kPeers; ++slot) ids.push_back({slot, 0});
    return ids;
  }
  std::size_t sent() { return std::exchange(outbox.messages, {}).size(); }

  World world;
  Host& a = world.host("192.0.2.1:51820");
  Outbox outbox;
};

TEST_F(Budgets, P50_TimersStopFiringWhenTheBudgetIsSpentAndGoOnLater) {
  a.device->up();
  Budget all = Budget::unlimited();
  EXPECT_FALSE(a.device->catch_up(world.now(), all));
  std::size_t total = 0;
  for (bool more = true; more;) {
    Budget turn(kTurnBudget);
    more = a.device->fire_timers(world.now(), turn, outbox);
    EXPECT_LE(outbox.messages.size(), kTurnBudget / kMessageCost);
    total += sent();
    ASSERT_LE(total, kPeers);
  }
  EXPECT_EQ(total, kPeers);
}

TEST_F(Budgets, AttendingStopsWhenTheBudgetIsSpentAndSaysHowFarItCame) {
  a.device->up();
  const std::vector<PeerId> peers = all_peers();
  Budget few(10);
  EXPECT_EQ(a.device->attend(world.now(), peers, few, outbox), 10u);
  EXPECT_TRUE(few.is_spent());
  EXPECT_EQ(a.device->attend(world.now(), peers, few, outbox), 0u);
}

TEST_F(Budgets, P59a_ComingUpRestsWhenTheBudgetIsSpentAndLeavesNobodyOut) {
  a.device->up();
  int calls = 1;
  for (bool more = true; more; ++calls) {
    Budget few(10);
    more = a.device->catch_up(world.now(), few);
    ASSERT_LT(calls, 1000);
  }
  EXPECT_GE(calls, 30);
  Budget all = Budget::unlimited();
  EXPECT_FALSE(a.device->fire_timers(world.now(), all, outbox));
  EXPECT_EQ(sent(), kPeers);
}

TEST_F(Budgets, P59a_GoingDownEndsWhatComingUpBegan) {
  a.device->up();
  Budget few(10);
  EXPECT_TRUE(a.device->catch_up(world.now(), few));
  a.device->down();
  Budget all = Budget::unlimited();
  EXPECT_FALSE(a.device->catch_up(world.now(), all));
  EXPECT_FALSE(a.device->next_deadline().has_value());
}

TEST_F(Budgets, LongCallsOfAConfigurationLetOthersWork) {
  std::size_t turns = 0;
  a.device->yield_to([&] { ++turns; });
  const auto took_turns = [&] { return std::exchange(turns, 0); };
  DeviceChange change;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    PeerChange& peer = change.peers.emplace_back();
    store_le32(peer.public_key.bytes.data(), i);
    peer.public_key.bytes[31] = 2;
  }
  ASSERT_TRUE(a.device->prepare(change));
  EXPECT_GT(took_turns(), 4u);
  a.device->apply(world.now(), std::move(change), outbox);
  EXPECT_GT(took_turns(), 4u);
  a.device->up();
  a.device->down();
  EXPECT_GT(took_turns(), 4u);
  a.device->forget_sources();
  EXPECT_GT(took_turns(), 1u);
  DeviceChange other_key;
  other_key.private_key = PrivateKey();
  other_key.private_key->mut_bytes()[5] = 5;
  a.apply(std::move(other_key));
  EXPECT_GT(took_turns(), 4u);
  DeviceChange none;
  none.replace_peers = true;
  a.apply(std::move(none));
  EXPECT_GT(took_turns(), 4u);
}

TEST_F(Budgets, P75_SourcesAreAskedAboutInTurnsAndNobodyIsLeftOut) {
  a.device->check_sources([](const Endpoint&, const Source&) { return SourceVerdict{}; });
  int calls = 0;
  for (bool more = true; more; ++calls) {
    ASSERT_LT(calls, 1000);
    Budget few(10);
    more = a.device->catch_up(world.now(), few);
    EXPECT_EQ(more, a.device->checks_sources());
  }
  EXPECT_GT(calls, 30);
}

// Somebody ends the program while a long call is under way.
TEST_F(Budgets, WhatTakesLongEndsSoonWhereTheDeviceIsToGo) {
  std::size_t turns = 0;
  a.device->yield_to([&] {
    if (++turns == 3) a.device->abandon();
  });
  DeviceChange none;
  none.replace_peers = true;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    PeerChange& peer = none.peers.emplace_back();
    store_le32(peer.public_key.bytes.data(), i);
    peer.public_key.bytes[31] = 2;
  }
  const Result<void> prepared = a.device->prepare(none);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ECANCELED);
  EXPECT_EQ(a.device->peer_count(), kPeers);
  const std::size_t before = turns;
  a.device->apply(world.now(), std::move(none), outbox);
  EXPECT_LT(turns, before + 3);
  EXPECT_EQ(a.device->peer_count(), kPeers);
}

// As `get` walks: the peer that it rested at goes, and with it the place.
TEST_F(Budgets, P100_AWalkGoesOnBehindPeersThatHaveGone) {
  std::optional<Device::PeerCursor> cursor;
  std::vector<PublicKey> seen;
  const auto visit = [&](const PeerStatus& peer) { seen.push_back(peer.public_key); };
  std::size_t calls = 0;
  for (bool more = true; more; ++calls) {
    ASSERT_LT(calls, 1000u);
    const std::size_t before = seen.size();
    more = a.device->visit_peers(cursor, 1, visit);
    EXPECT_LE(seen.size(), before + 1);
    if (seen.size() == before || seen.size() % 100 != 0) continue;
    DeviceChange change;
    PeerChange& gone = change.peers.emplace_back();
    gone.public_key = seen.back();
    gone.remove = true;
    a.apply(std::move(change));
  }
  EXPECT_EQ(seen.size(), kPeers);
  std::ranges::sort(seen);
  EXPECT_TRUE(std::ranges::unique(seen).empty());
  EXPECT_GT(calls, kPeers + 5) << "to get past hundreds takes more than one call";
}

TEST_F(Budgets, P101_APeerOfVeryManyAllowedIpsLetsOthersWork) {
  std::size_t turns = 0;
  a.device->yield_to([&] { ++turns; });
  DeviceChange change;
  PeerChange& peer = change.peers.emplace_back();
  peer.public_key.bytes[31] = 2;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    std::array<std::uint8_t, 4> address;
    store_be32(address.data(), 0x0A000000u + i);
    peer.allowed_ips.push_back({Cidr(IpAddress::v4(address), 32), false});
  }
  a.apply(std::move(change));
  EXPECT_GT(turns, 5u);
}

TEST(BudgetTest, IsSpentAndAddedToButNeverOwed) {
  Budget budget(3);
  budget.spend(5);
  EXPECT_TRUE(budget.is_spent());
  budget.add(2);
  EXPECT_FALSE(budget.is_spent());
  budget.spend(2);
  EXPECT_TRUE(budget.is_spent());
}

}  // namespace
}  // namespace ferrule::protocol::testing
