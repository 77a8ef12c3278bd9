// Rekeying, expiry, keepalives, giving up: hours in milliseconds (P50 to P60).
#include <gtest/gtest.h>

#include "base/own_memory_testing.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

class TimersOfDevices : public ::testing::Test {
 protected:
  TimersOfDevices() { world.pair(a, b); }

  OutboundPacket ping() {
    const OutboundPacket packet = a.send(ipv4("10.0.0.1", "10.0.0.2"));
    world.settle();
    return packet;
  }
  OutboundPacket pong() {
    const OutboundPacket packet = b.send(ipv4("10.0.0.2", "10.0.0.1"));
    world.settle();
    return packet;
  }
  void lose_everything() {
    world.passes = [](const Datagram&) { return false; };
  }
  // Transport messages of 32 bytes: keepalives.
  std::size_t keepalives(const Host& from) {
    std::size_t count = 0;
    for (const Datagram& datagram : world.sent) {
      count +=
          datagram.from == from.endpoint && datagram.type() == 4 && datagram.bytes.size() == 32;
    }
    return count;
  }

  World world;
  Host& a = world.host("192.0.2.1:1000");
  Host& b = world.host("192.0.2.2:2000");
};

TEST_F(TimersOfDevices, P50_InitiationIsRetriedAfterFiveSecondsAndJitter) {
  lose_everything();
  ping();
  world.run(4999ms);
  EXPECT_EQ(world.count_sent(1, a), 1u);
  world.run(334ms);
  EXPECT_EQ(world.count_sent(1, a), 2u);
}

TEST_F(TimersOfDevices, P50_GivesUpAfterTwentySendsAndDropsWhatWasStaged) {
  lose_everything();
  ping();
  world.run(600s);
  EXPECT_EQ(world.count_sent(1, a), 20u);
  EXPECT_EQ(a.drops(Drop::staged_expired), 1u);
}

TEST_F(TimersOfDevices, P50_TheNextPacketStartsOver) {
  lose_everything();
  ping();
  world.run(600s);
  ping();
  world.run(600s);
  EXPECT_EQ(world.count_sent(1, a), 40u);
}

TEST_F(TimersOfDevices, P50_AResponseIsGoodUntilTheNextInitiation) {
  world.passes = [](const Datagram& datagram) { return datagram.type() != 2; };
  ping();
  const Datagram late = world.sent.back();
  ASSERT_EQ(late.type(), 2);
  world.run(4999ms);
  world.passes = nullptr;
  a.receive(late);
  world.settle();
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(TimersOfDevices, P50_RetryForgetsTheStickySource) {
  ping();
  pong();  // a knows the address that it was reached on
  lose_everything();
  world.run(200s);
  ping();
  world.run(6s);
  world.passes = nullptr;
  world.run(6s);
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(TimersOfDevices, P50_APeerThatAsksAndNeverConfirmsDoesNotKeepUsFromGivingUp) {
  world.passes = [this](const Datagram& datagram) { return datagram.from == b.endpoint; };
  ping();
  for (int i = 0; i < 150; ++i) {
    pong();  // b tries on and on, and hears nothing
    world.run(1s);
  }
  EXPECT_EQ(world.count_sent(1, a), 20u);
  EXPECT_EQ(a.drops(Drop::staged_expired), 1u);
}

// One who asks more often than he may (P51) leaves us no turn of our own: his initiations are what
// keeps us waiting. What counts is that the handshake is not forgotten by it.
TEST_F(TimersOfDevices, P50_APeerThatAsksTooOftenPutsGivingUpOffWhileHeDoes) {
  Host& twin = world.host("192.0.2.2:3000");
  twin.key = PrivateKey(b.key->clone());
  DeviceChange change;
  change.private_key = PrivateKey(b.key->clone());
  twin.apply(std::move(change));
  twin.add_peer(a, "10.0.0.1/32");
  twin.up();
  world.passes = [this](const Datagram& datagram) { return datagram.from != a.endpoint; };
  ping();
  for (int i = 0; i < 100; ++i) {
    (i % 2 == 0 ? b : twin).send(ipv4("10.0.0.2", "10.0.0.1"));
    world.run(2600ms);
  }
  EXPECT_LE(world.count_sent(1, a), 5u);
  lose_everything();
  world.run(120s);
  EXPECT_EQ(world.count_sent(1, a), 20u);
}

TEST_F(TimersOfDevices, P51_NeverTwoInitiationsWithinFiveSeconds) {
  lose_everything();
  for (int i = 0; i < 300; ++i) {
    ping();
    world.run(100ms);
  }
  EXPECT_LE(world.count_sent(1, a), 6u);
  EXPECT_GE(world.count_sent(1, a), 5u);
}

TEST_F(TimersOfDevices, P51_AResponseCountsAsASend) {
  world.passes = [](const Datagram& datagram) { return datagram.type() == 1; };
  ping();  // b responds, in vain
  pong();
  world.run(4s);
  EXPECT_EQ(world.count_sent(1, b), 0u);
  world.run(2s);
  EXPECT_EQ(world.count_sent(1, b), 1u);
}

TEST_F(TimersOfDevices, P51_AnInitiationWaitsUntilFiveSecondsAfterAResponse) {
  world.passes = [](const Datagram& datagram) { return datagram.type() == 1; };
  ping();  // b responds, in vain
  world.run(4999ms);
  pong();
  EXPECT_EQ(world.count_sent(1, b), 0u);
  world.run(1ms);
  EXPECT_EQ(world.count_sent(1, b), 1u);
}

TEST_F(TimersOfDevices, P51_AnInitiationFiveSecondsAfterAResponseWaitsForNothing) {
  world.passes = [](const Datagram& datagram) { return datagram.type() == 1; };
  ping();  // b responds, in vain
  world.run(5000ms);
  pong();
  EXPECT_EQ(world.count_sent(1, b), 1u);
}

TEST_F(TimersOfDevices, P50_AHandshakeThatWaitsForItsTurnHasAllItsAttempts) {
  world.passes = [](const Datagram& datagram) { return datagram.type() == 1; };
  ping();  // b responds, in vain
  lose_everything();
  pong();  // too early for an initiation
  ASSERT_EQ(world.count_sent(1, b), 0u);
  world.run(600s);
  EXPECT_EQ(world.count_sent(1, b), 20u);
}

TEST_F(TimersOfDevices, P50_ARetryThatWaitsForItsTurnIsOneAttempt) {
  lose_everything();
  pong();
  world.run(3s);
  world.passes = [](const Datagram& datagram) { return datagram.type() == 1; };
  const std::size_t before = world.count_sent(2, b);
  ping();  // b responds, in vain, and its next initiation must wait
  ASSERT_EQ(world.count_sent(2, b), before + 1);
  lose_everything();
  world.run(600s);
  EXPECT_EQ(world.count_sent(1, b), 20u);
}

TEST_F(TimersOfDevices, P52_ReceivedDataIsAnsweredByAKeepaliveAfterTenSeconds) {
  ping();
  world.run(9999ms);
  EXPECT_EQ(keepalives(b), 0u);
  world.run(2ms);
  EXPECT_EQ(keepalives(b), 1u);
}

TEST_F(TimersOfDevices, P52_AnswerByDataDisarmsTheKeepalive) {
  ping();
  world.run(5s);
  pong();
  world.run(6s);
  EXPECT_EQ(keepalives(b), 0u);
}

TEST_F(TimersOfDevices, P52_DataDuringTheWaitIsOwedAnotherKeepalive) {
  ping();
  world.run(5s);
  ping();
  world.run(21s);
  EXPECT_EQ(keepalives(b), 2u);
}

TEST_F(TimersOfDevices, P52_KeepalivesAreNotAnswered) {
  ping();
  world.run(100s);
  EXPECT_EQ(keepalives(a) + keepalives(b), 1u);
}

TEST_F(TimersOfDevices, P53_SilenceAfterDataStartsAHandshakeAfterFifteenSeconds) {
  ping();
  lose_everything();
  ping();
  world.run(14999ms);
  EXPECT_EQ(world.count_sent(1, a), 1u);
  world.run(335ms);
  EXPECT_EQ(world.count_sent(1, a), 2u);
}

TEST_F(TimersOfDevices, P53_AnyAuthenticatedAnswerDisarmsIt) {
  ping();
  world.run(100s);
  EXPECT_EQ(world.count_sent(1, a), 1u);
}

TEST_F(TimersOfDevices, P54_KeysAreErasedAfter540Seconds) {
  ping();
  const std::uint64_t before = b.drops(Drop::unknown_index);
  const Datagram data = world.sent.back();
  world.run(539s);
  b.receive(data);
  EXPECT_EQ(b.drops(Drop::expired_keypair), 1u);  // known still
  world.run(2s);
  b.receive(data);
  EXPECT_EQ(b.drops(Drop::unknown_index), before + 1);
}

// What a packet of `host` would be sealed with.
ferrule::testing::Needle sending_key_of(Host& host) {
  const Packet inner = ipv4("10.0.0.1", "10.0.0.2");
  OutboundPacket packet;
  packet.inner = inner;
  SendPlan plan;
  Attention attention;
  host.device->plan_send(host.world.now(), {&packet, 1}, plan, attention);
  return ferrule::testing::Needle(plan.runs.at(0).keypair->sending_key().bytes());
}

TEST_F(TimersOfDevices, P54_ErasedKeysAreNowhereInMemory) {
#ifdef FERRULE_SANITIZED
  GTEST_SKIP() << "a sanitizer's memory is too large to search";
#endif
  if (!ferrule::testing::can_see_own_memory()) GTEST_SKIP();
  ping();
  const ferrule::testing::Needle key = sending_key_of(a);
  world.run(539s);
  EXPECT_TRUE(ferrule::testing::in_own_memory(key));
  world.run(2s);
  EXPECT_FALSE(ferrule::testing::in_own_memory(key));
}

TEST_F(TimersOfDevices, P55_PersistentKeepaliveIsSentAtOnceWhenSwitchedOn) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  EXPECT_EQ(world.count_sent(1, a), 1u);
  EXPECT_EQ(keepalives(a), 1u);
}

TEST_F(TimersOfDevices, P55_PersistentKeepaliveComesEveryInterval) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  const std::size_t before = keepalives(a);
  world.run(100s);
  EXPECT_EQ(keepalives(a), before + 4);
}

TEST_F(TimersOfDevices, P55_WhateverPassesPutsThePersistentKeepaliveOff) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  const std::size_t before = keepalives(a);
  world.run(20s);
  ping();          // which b answers by a keepalive of its own 10 s later
  world.run(34s);  // 24 s after that
  EXPECT_EQ(keepalives(a), before);
  world.run(2s);
  EXPECT_EQ(keepalives(a), before + 1);
}

TEST_F(TimersOfDevices, P55_ZeroSwitchesItOff) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  a.add_peer(b, "10.0.0.2/32", true, 0);
  const std::size_t before = keepalives(a);
  world.run(100s);
  EXPECT_EQ(keepalives(a), before);
}

TEST_F(TimersOfDevices, P56_InitiatorRekeysWhenItSendsAfter120Seconds) {
  ping();
  world.run(119s);
  ping();
  EXPECT_EQ(world.count_sent(1, a), 1u);
  world.run(1s);
  ping();
  EXPECT_EQ(world.count_sent(1, a), 2u);
  EXPECT_EQ(b.delivered.size(), 3u);
}

TEST_F(TimersOfDevices, P56_ResponderDoesNotRekeyByTime) {
  ping();
  world.run(121s);
  pong();
  EXPECT_EQ(world.count_sent(1, b), 0u);
}

TEST_F(TimersOfDevices, P57_InitiatorRekeysWhenItReceivesAfter165Seconds) {
  ping();
  world.run(164s);
  pong();
  EXPECT_EQ(world.count_sent(1, a), 1u);
  world.run(1s);
  pong();
  EXPECT_EQ(world.count_sent(1, a), 2u);
}

TEST_F(TimersOfDevices, P57_OnceAKeypair) {
  ping();
  world.run(166s);
  world.passes = [](const Datagram& datagram) { return datagram.type() != 1; };
  pong();
  pong();
  pong();
  EXPECT_EQ(world.count_sent(1, a), 2u);
}

TEST_F(TimersOfDevices, P45_AtOrPast180SecondsNothingIsEncrypted) {
  ping();
  world.passes = [](const Datagram& datagram) { return datagram.type() == 4; };
  world.run(179s);
  EXPECT_EQ(pong().verdict, Verdict::send);
  world.run(1s);
  EXPECT_EQ(pong().verdict, Verdict::stage);
}

TEST_F(TimersOfDevices, P45_AtOrPast180SecondsNothingIsDecrypted) {
  ping();
  lose_everything();
  world.run(179s);
  pong();
  const Datagram data = world.sent.back();
  world.run(1s);
  a.receive(data);
  EXPECT_EQ(a.drops(Drop::expired_keypair), 1u);
  EXPECT_TRUE(a.delivered.empty());
}

TEST_F(TimersOfDevices, P45_APacketAt175SecondsIsNotLost) {
  ping();
  world.run(175s);
  EXPECT_EQ(pong().verdict, Verdict::send);
  ping();
  EXPECT_EQ(a.delivered.size(), 1u);
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(TimersOfDevices, P45_APacketOfADeadSessionWaitsForTheNextOne) {
  ping();
  world.run(185s);
  EXPECT_EQ(pong().verdict, Verdict::stage);
  EXPECT_EQ(a.delivered.size(), 1u);
}

TEST_F(TimersOfDevices, P58_CompletedHandshakeStampsTheWallClock) {
  ping();
  EXPECT_EQ(a.status(b).last_handshake, world.now().wall);
  EXPECT_EQ(b.status(a).last_handshake, world.now().wall);
}

TEST_F(TimersOfDevices, P58_ResponderCompletesWithItsFirstDataPacketOnly) {
  world.passes = [](const Datagram& datagram) { return datagram.type() != 2; };
  ping();
  EXPECT_EQ(b.status(a).last_handshake, WallTime{});
}

TEST_F(TimersOfDevices, P58_CompletionFulfilsAWishForAHandshakeThatNobodySawYet) {
  world.passes = [](const Datagram& datagram) { return datagram.type() < 3; };
  ping();  // b has a key that is not confirmed
  const Packet inner = ipv4("10.0.0.2", "10.0.0.1");
  OutboundPacket packet;
  packet.inner = inner;
  SendPlan plan;
  Attention attention;
  b.device->plan_send(world.now(), {&packet, 1}, plan, attention);
  ASSERT_EQ(packet.verdict, Verdict::stage);
  b.device->stage(world.now(), packet.place_of(0), inner, 0, attention);
  world.passes = nullptr;
  ping();  // confirms it, before the control side comes round
  Outbox outbox;
  for (const PeerId peer : attention) b.device->attend(world.now(), peer, outbox);
  world.run(8s);
  EXPECT_EQ(world.count_sent(1, b), 0u);
}

// The private key changes just before the first packet on a session of the old one arrives.
TEST_F(TimersOfDevices, P58_ASessionThatMayNotSendEndsNoHandshake) {
  world.passes = [](const Datagram& datagram) { return datagram.type() < 3; };
  ping();  // b has a key that is not confirmed
  pong();
  b.set_key(77);
  ASSERT_EQ(world.count_sent(1, b), 1u);
  world.passes = nullptr;
  ping();  // confirms the old session, with which b sends no more
  ASSERT_EQ(b.delivered.size(), 1u);
  a.add_peer(b, "10.0.0.2/32");
  world.run(6s);
  EXPECT_EQ(a.delivered.size(), 1u);
}

TEST_F(TimersOfDevices, P59_StagedPacketsConfirmTheKey) {
  ping();
  EXPECT_EQ(keepalives(a), 0u);
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(TimersOfDevices, P59_WithNothingStagedAnEmptyPacketConfirmsTheKey) {
  a.add_peer(b, "10.0.0.2/32", true, 1);
  world.settle();
  EXPECT_EQ(keepalives(a), 1u);
  EXPECT_EQ(pong().verdict, Verdict::send);
}

TEST_F(TimersOfDevices, P59a_ADownedDeviceHasNoDeadlinesSessionsOrStagedPackets) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  a.down();
  EXPECT_FALSE(a.device->next_deadline().has_value());
  world.run(100s);
  EXPECT_EQ(world.count_sent(4, a), 1u);
}

TEST_F(TimersOfDevices, P59a_ComingUpSendsAKeepaliveToPeersWithAnInterval) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  a.down();
  world.run(100s);
  const std::size_t before = world.count_sent(1, a);
  a.up();
  world.settle();
  EXPECT_EQ(world.count_sent(1, a), before + 1);
}

TEST_F(TimersOfDevices, P59a_PersistentKeepaliveAloneRevivesASessionLongDead) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  lose_everything();
  world.run(3000s);
  world.passes = nullptr;
  world.run(31s);
  EXPECT_EQ(pong().verdict, Verdict::send);
  EXPECT_EQ(a.delivered.size(), 1u);
}

TEST_F(TimersOfDevices, P59a_AKeepaliveWithoutAnEndpointIsNotTheLast) {
  Host& c = world.host("192.0.2.3:51820");
  a.add_peer(c, "10.0.0.3/32", false, 25);
  world.run(60s);
  ASSERT_EQ(world.count_sent(1, a), 0u);
  DeviceChange change;
  change.peers.emplace_back().public_key = c.public_key();
  change.peers.back().endpoint = c.endpoint;
  a.apply(std::move(change));
  world.run(25s);
  EXPECT_GE(world.count_sent(1, a), 1u);
}

TEST_F(TimersOfDevices, P55_AKeepaliveThatCannotBeSentDoesNotSpin) {
  a.rng.fails = true;  // no handshake can be made
  a.add_peer(b, "10.0.0.2/32", true, 1);
  for (int i = 0; i < 60; ++i) {
    world.run(1s);
    EXPECT_GT(a.device->next_deadline()->at, world.now().boot);
  }
  EXPECT_LE(a.drops(Drop::no_resources), 13u);  // one in five seconds
}

TEST_F(TimersOfDevices, AHundredHandshakesInARowAreNoLoad) {
  for (int i = 0; i <= 100; ++i) {
    ping();
    world.run(121s);
  }
  EXPECT_EQ(world.count_sent(2, b), 101u);
  EXPECT_EQ(world.count_sent(3, b), 0u);
}

TEST_F(TimersOfDevices, P50_ANewPrivateKeyStartsOverWithAHandshakeThatWasUnderWay) {
  lose_everything();
  ping();
  world.run(1s);
  a.set_key(77);
  EXPECT_EQ(world.count_sent(1, a), 2u);
}

TEST_F(TimersOfDevices, P50_WhatANewPrivateKeyStartsOverHasAllItsAttempts) {
  lose_everything();
  ping();
  while (world.count_sent(1, a) < 20) world.run(1s);
  a.set_key(77);
  world.run(20s);
  EXPECT_GE(world.count_sent(1, a), 23u);
}

TEST_F(TimersOfDevices, P50_AHandshakeUnderWayOutlivesAMomentWithoutAPrivateKey) {
  lose_everything();
  ping();
  world.run(1s);
  DeviceChange none;
  none.private_key = PrivateKey();
  a.apply(std::move(none));
  world.run(1s);
  a.set_key(77);
  world.run(6s);
  EXPECT_GE(world.count_sent(1, a), 2u);
}

TEST_F(TimersOfDevices, P50_ANewPrivateKeyAloneStartsNoHandshake) {
  ping();
  a.set_key(77);
  EXPECT_EQ(world.count_sent(1, a), 1u);
}

TEST_F(TimersOfDevices, P59a_NoTimerOfARemovedPeerFires) {
  lose_everything();
  ping();
  DeviceChange change;
  change.replace_peers = true;
  a.apply(std::move(change));
  EXPECT_FALSE(a.device->next_deadline().has_value());
  world.run(20s);
  EXPECT_EQ(world.count_sent(1, a), 1u);
}

TEST_F(TimersOfDevices, P60_StampsIncreaseThoughTheWallClockGoesBackwards) {
  ping();
  world.now_.wall.seconds -= 3600;
  world.run(121s);
  ping();
  EXPECT_EQ(world.count_sent(2, b), 2u);
  EXPECT_EQ(b.drops(Drop::replayed_initiation), 0u);
}

TEST_F(TimersOfDevices, P60_WallClockForwardThenBackNeitherRepeatsNorSticks) {
  world.now_.wall.seconds += 3600;
  ping();
  world.now_.wall.seconds -= 3600;
  for (int i = 0; i < 5; ++i) {
    world.run(121s);
    ping();
  }
  EXPECT_EQ(world.count_sent(2, b), 6u);
}

TEST_F(TimersOfDevices, P60_WallClockJumpsMoveNoTimer) {
  ping();
  world.now_.wall.seconds += 1'000'000;
  world.run(100s);
  ping();
  EXPECT_EQ(world.count_sent(1, a), 1u);
}

TEST_F(TimersOfDevices, AnIdleDeviceWaitsForNothing) {
  ping();
  world.run(600s);
  EXPECT_FALSE(a.device->next_deadline().has_value());
  EXPECT_FALSE(b.device->next_deadline().has_value());
}

TEST_F(TimersOfDevices, ADeadlineSaysWhatItIsFor) {
  lose_everything();
  ping();
  EXPECT_EQ(a.device->next_deadline()->reason, Timer::retransmit);
}

TEST_F(TimersOfDevices, AnHourOfTrafficUnderLossKeepsUp) {
  std::uint64_t state = 7;
  world.passes = [&](const Datagram&) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % 10 >= 3;  // 30 % loss
  };
  std::size_t sent = 0;
  for (; sent < 3600; ++sent) {
    ping();
    world.run(1s);
  }
  EXPECT_GE(b.delivered.size(), sent * 6 / 10);
  world.passes = nullptr;
  const std::size_t before = b.delivered.size();
  ping();
  world.run(16s);
  EXPECT_GT(b.delivered.size(), before);
}

}  // namespace
}  // namespace ferrule::protocol::testing
