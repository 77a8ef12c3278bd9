#include "monitor/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrule::monitor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const PublicKey kAlice{{1}};
const PublicKey kBob{{2}};

struct Peer {
  PublicKey key;
  std::uint64_t rx;
  std::uint64_t tx;
};

Snapshot wg0(double at_s, const std::vector<Peer>& peers, control::Stats stats = {}) {
  Snapshot snapshot;
  snapshot.now.boot = Instant::from_ns(static_cast<std::int64_t>(at_s * 1e9));
  DeviceSnapshot& device = snapshot.devices.emplace_back();
  device.name = "wg0";
  device.stats = std::move(stats);
  for (const Peer& peer : peers) {
    protocol::PeerStatus& status = device.status.peers.emplace_back();
    status.public_key = peer.key;
    status.rx_bytes = peer.rx;
    status.tx_bytes = peer.tx;
  }
  return snapshot;
}

TEST(History, ARateTakesTwoLooks) {
  History history;
  history.add(wg0(1, {{kAlice, 1000, 500}}));
  EXPECT_THAT(history.peer("wg0", kAlice).rx.values(), IsEmpty());
  history.add(wg0(3, {{kAlice, 3000, 600}}));
  EXPECT_THAT(history.peer("wg0", kAlice).rx.values(), ElementsAre(1000));
  EXPECT_THAT(history.peer("wg0", kAlice).tx.values(), ElementsAre(50));
}

// Alice, with these counts.
Snapshot messages(double at_s, protocol::MessageCounts counts) {
  Snapshot snapshot = wg0(at_s, {{kAlice, 0, 0}});
  snapshot.devices[0].status.peers[0].messages = counts;
  return snapshot;
}

TEST(History, LossIsThePartThatDidNotCome) {
  History history;
  history.add(
      messages(1, {1000, 5000}));  // what was lost before the first look is not ours to tell
  EXPECT_EQ(history.peer("wg0", kAlice).loss(), std::nullopt);
  history.add(messages(2, {1090, 5100}));
  EXPECT_NEAR(history.peer("wg0", kAlice).loss().value(), 0.1, 1e-9);
}

TEST(History, LossIsForgottenAfterTenLooks) {
  History history;
  history.add(messages(0, {0, 0}));
  history.add(messages(1, {0, 10}));
  for (unsigned i = 1; i <= 9; ++i) history.add(messages(1 + i, {10 * i, 10 + 10 * i}));
  EXPECT_NEAR(history.peer("wg0", kAlice).loss().value(), 0.1, 1e-9);
  history.add(messages(11, {100, 110}));
  EXPECT_EQ(history.peer("wg0", kAlice).loss(), 0);
}

TEST(History, ADeviceThatBeginsToTellIsCountedFromThere) {
  History history;
  history.add(wg0(1, {{kAlice, 0, 0}}));
  history.add(messages(2, {1000, 5000}));
  EXPECT_EQ(history.peer("wg0", kAlice).loss(), std::nullopt);
}

TEST(History, WhatComesLateIsNoNegativeLoss) {
  History history;
  history.add(messages(0, {0, 5}));
  history.add(messages(1, {11, 11}));
  EXPECT_EQ(history.peer("wg0", kAlice).loss(), 0);
}

TEST(History, WhereNothingWasExpectedThereIsNoLoss) {
  History history;
  history.add(messages(0, {7, 7}));
  history.add(messages(1, {7, 7}));
  EXPECT_EQ(history.peer("wg0", kAlice).loss(), std::nullopt);
}

TEST(History, ADeviceThatTellsNoCountsHasNoLoss) {
  History history;
  history.add(wg0(1, {{kAlice, 0, 0}}));
  history.add(wg0(2, {{kAlice, 10, 0}}));
  EXPECT_EQ(history.peer("wg0", kAlice).loss(), std::nullopt);
}

TEST(History, ADeviceIsTheSumOfItsPeers) {
  History history;
  history.add(wg0(1, {{kAlice, 0, 0}, {kBob, 0, 0}}));
  history.add(wg0(2, {{kAlice, 10, 1}, {kBob, 20, 2}}));
  EXPECT_EQ(history.device("wg0").rx.last(), 30);
  EXPECT_EQ(history.device("wg0").tx.last(), 3);
}

TEST(History, ADaemonThatStartedAnewCountsFromZero) {
  History history;
  history.add(wg0(1, {{kAlice, 5000, 0}}));
  history.add(wg0(2, {{kAlice, 70, 0}}));
  EXPECT_EQ(history.peer("wg0", kAlice).rx.last(), 70);
}

TEST(History, APeerThatWasGoneBeginsAgain) {
  History history;
  history.add(wg0(1, {{kAlice, 10, 0}}));
  history.add(wg0(2, {}));
  history.add(wg0(3, {{kAlice, 1000, 0}}));
  EXPECT_THAT(history.peer("wg0", kAlice).rx.values(), IsEmpty());
}

TEST(History, KeepsTheLastMinute) {
  History history;
  for (int i = 0; i <= 100; ++i) {
    history.add(wg0(i, {{kAlice, static_cast<std::uint64_t>(i * i), 0}}));
  }
  const auto& values = history.peer("wg0", kAlice).rx.values();
  ASSERT_EQ(values.size(), Series::kLength);
  EXPECT_EQ(values.back(), 100 * 100 - 99 * 99);
}

TEST(History, CountersHaveARate) {
  History history;
  history.add(wg0(1, {}, {{"drop_bad_mac1", 5}}));
  EXPECT_EQ(history.rate("wg0", "drop_bad_mac1"), 0);
  history.add(wg0(3, {}, {{"drop_bad_mac1", 11}}));
  EXPECT_EQ(history.rate("wg0", "drop_bad_mac1"), 3);
}

TEST(History, WhatIsUnknownIsNothing) {
  const History history;
  EXPECT_EQ(history.peer("wg0", kAlice).rx.last(), 0);
  EXPECT_EQ(history.device("wg0").tx.last(), 0);
  EXPECT_EQ(history.rate("wg0", "drop_bad_mac1"), 0);
}

}  // namespace
}  // namespace ferrule::monitor
