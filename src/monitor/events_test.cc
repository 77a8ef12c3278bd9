#include "monitor/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrule::monitor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kStart = 1'700'000'000;
const PublicKey kAlice{{1}};
const Endpoint kHome = *Endpoint::parse("192.0.2.1:51820");
const Endpoint kTrain = *Endpoint::parse("198.51.100.7:4000");

// One device, wg0, with one peer, looked at once a second or so.
class EventFinderTest : public testing::Test {
 protected:
  EventFinderTest() { peer_.public_key = kAlice; }

  std::vector<Event> look(std::int64_t after_s, bool there = true) {
    const Now now{Instant::from_ns(after_s * 1'000'000'000), WallTime{kStart + after_s, 0}};
    Snapshot snapshot{now, {}};
    if (there) {
      DeviceSnapshot& device = snapshot.devices.emplace_back();
      device.name = "wg0";
      device.stats = stats_;
      if (has_peer_) {
        protocol::PeerStatus& peer = device.status.peers.emplace_back();
        peer.public_key = peer_.public_key;
        peer.endpoint = peer_.endpoint;
        peer.tx_bytes = peer_.tx_bytes;
        peer.last_handshake = peer_.last_handshake;
      }
    }
    return finder_.look(snapshot);
  }

  std::vector<EventKind> kinds(std::int64_t after_s, bool there = true) {
    std::vector<EventKind> kinds;
    for (const Event& event : look(after_s, there)) kinds.push_back(event.kind);
    return kinds;
  }

  void handshake(std::int64_t at_s) { peer_.last_handshake = {kStart + at_s, 0}; }

  EventFinder finder_;
  protocol::PeerStatus peer_;
  bool has_peer_ = true;
  control::Stats stats_;
};

TEST_F(EventFinderTest, WhatIsThereAtFirstIsNotNews) {
  handshake(0);
  stats_ = {{"drop_bad_mac1", 7}};
  EXPECT_THAT(kinds(1), IsEmpty());
  EXPECT_THAT(kinds(2), IsEmpty());
}

TEST_F(EventFinderTest, AHandshakeAfterNoneIsAConnection) {
  (void)look(0);
  handshake(1);
  peer_.endpoint = kHome;
  const std::vector<Event> events = look(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::connected);
  EXPECT_EQ(events[0].peer, kAlice);
  EXPECT_EQ(events[0].to, kHome);
}

TEST_F(EventFinderTest, ARekeyIsNotNews) {
  handshake(0);
  (void)look(0);
  handshake(120);
  EXPECT_THAT(kinds(121), IsEmpty());
}

TEST_F(EventFinderTest, P45_ThreeMinutesWithoutAHandshakeIsQuiet) {
  handshake(0);
  (void)look(0);
  EXPECT_THAT(kinds(179), IsEmpty());
  EXPECT_THAT(kinds(180), ElementsAre(EventKind::quiet));
  EXPECT_THAT(kinds(181), IsEmpty());
}

TEST_F(EventFinderTest, P74_AnotherEndpointIsRoaming) {
  handshake(0);
  peer_.endpoint = kHome;
  (void)look(0);
  peer_.endpoint = kTrain;
  const std::vector<Event> events = look(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::roamed);
  EXPECT_EQ(events[0].from, kHome);
  EXPECT_EQ(events[0].to, kTrain);
}

TEST_F(EventFinderTest, CallingInVainForFifteenSecondsIsToldOnce) {
  (void)look(0);
  peer_.tx_bytes = 148;
  EXPECT_THAT(kinds(1), IsEmpty());
  EXPECT_THAT(kinds(15), IsEmpty());
  EXPECT_THAT(kinds(16), ElementsAre(EventKind::no_answer));
  peer_.tx_bytes = 296;
  EXPECT_THAT(kinds(30), IsEmpty());
}

TEST_F(EventFinderTest, APeerThatWasCalledBeforeTheFirstLookIsNoEvent) {
  peer_.tx_bytes = 148;
  (void)look(0);
  EXPECT_THAT(kinds(1), IsEmpty());
  EXPECT_THAT(kinds(60), IsEmpty());
}

TEST_F(EventFinderTest, APeerThatIsNotCalledIsNoEvent) {
  (void)look(0);
  EXPECT_THAT(kinds(60), IsEmpty());
}

TEST_F(EventFinderTest, PeersComeAndGo) {
  has_peer_ = false;
  (void)look(0);
  has_peer_ = true;
  EXPECT_THAT(kinds(1), ElementsAre(EventKind::peer_added));
  has_peer_ = false;
  EXPECT_THAT(kinds(2), ElementsAre(EventKind::peer_removed));
}

TEST_F(EventFinderTest, DevicesComeAndGoWithTheirPeers) {
  (void)look(0, false);
  EXPECT_THAT(kinds(1, true), ElementsAre(EventKind::device_appeared));
  EXPECT_THAT(kinds(2, false), ElementsAre(EventKind::device_vanished));
}

TEST_F(EventFinderTest, DropsAreCountedByReason) {
  stats_ = {{"drop_bad_mac1", 7}, {"drop_no_route", 1}, {"lane_0_cpu_ns", 5}};
  (void)look(0);
  stats_ = {{"drop_bad_mac1", 9}, {"drop_no_route", 1}, {"lane_0_cpu_ns", 6}};
  const std::vector<Event> events = look(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::refused);
  EXPECT_EQ(events[0].reason, "bad_mac1");
  EXPECT_EQ(events[0].count, 2u);
}

// A daemon that starts anew counts from zero.
TEST_F(EventFinderTest, CountersThatFallAreNoEvent) {
  stats_ = {{"drop_bad_mac1", 7}};
  (void)look(0);
  stats_ = {{"drop_bad_mac1", 0}};
  EXPECT_THAT(kinds(1), IsEmpty());
}

}  // namespace
}  // namespace ferrule::monitor
