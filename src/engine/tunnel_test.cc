// Two hosts in virtual time: a session's life as two real lanes live it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/wire.h"
#include "crypto/x25519.h"
#include "engine/world_testing.h"

namespace ferrule::engine::testing {
namespace {

using protocol::Drop;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint8_t kInitiation = 1;
constexpr std::uint8_t kResponse = 2;
constexpr std::uint8_t kData = 4;

class Tunnel : public ::testing::Test {
 protected:
  Tunnel() { world.pair(a, b); }

  // A packet from a that arrives at b at once, or does not.
  bool ping() {
    a.sends(there(64));
    world.settle();
    return b.receives().size() == 1;
  }
  bool pong() {
    b.sends(back(64));
    world.settle();
    return a.receives().size() == 1;
  }
  void lose_everything() {
    world.lose([](const io::MemoryDatagram&) { return true; });
  }
  void lose_nothing() {
    world.lose([](const io::MemoryDatagram&) { return false; });
  }

  World world;
  Host& a = world.host();
  Host& b = world.host();
};

TEST_F(Tunnel, P59_TheFirstPacketMakesASessionAndArrives) {
  EXPECT_TRUE(ping());
  EXPECT_EQ(world.count_sent(kInitiation, a), 1u);
  EXPECT_EQ(world.count_sent(kResponse, b), 1u);
}

TEST_F(Tunnel, AHandshakeUponTheHeelsOfAnotherWaitsAMillisecondForMore) {
  Host& c = world.host();
  a.add_peer(c, "10.2.0.0/16");
  c.add_peer(a, "10.0.0.0/24");
  c.up();
  ASSERT_TRUE(ping());
  packet::testing::Packet from_c = back(64);
  from_c[13] = 2;
  from_c[19] = 1;
  packet::testing::repair(from_c);
  c.sends(from_c);
  world.settle();
  EXPECT_EQ(world.count_sent(kResponse, a), 0u);
  world.run(1ms);
  EXPECT_EQ(world.count_sent(kResponse, a), 1u);
}

TEST_F(Tunnel, PacketsArriveByteForByteInBothFamilies) {
  a.sends(there(100));
  a.sends(there(1, true));
  world.settle();
  EXPECT_THAT(plain(b.receives()), ElementsAre(there(100), there(1, true)));
}

TEST_F(Tunnel, APacketThatTheInterfaceRefusesIsCounted) {
  ping();
  b.tuns[0]->refuse_writes(1);
  EXPECT_FALSE(ping());
  EXPECT_EQ(b.drops(Drop::tun_write_failed), 1u);
  EXPECT_TRUE(ping());
  EXPECT_EQ(b.drops(Drop::tun_write_failed), 1u);
}

TEST_F(Tunnel, AnswersComeBackInBothFamilies) {
  ping();
  b.sends(back(100));
  b.sends(back(1, true));
  world.settle();
  EXPECT_THAT(plain(a.receives()), ElementsAre(back(100), back(1, true)));
}

TEST_F(Tunnel, P74_TheOuterFamilyIsTheOneOfTheEndpoint) {
  protocol::PeerChange peer;
  peer.public_key = b.public_key();
  peer.endpoint = b.v6;
  protocol::DeviceChange change;
  change.peers.push_back(std::move(peer));
  a.apply(std::move(change));
  EXPECT_TRUE(ping());
  EXPECT_EQ(b.status(a).endpoint, a.v6);
  EXPECT_TRUE(pong());
}

TEST_F(Tunnel, P78_BothSidesCountTheSameBytes) {
  ping();
  pong();
  world.run(30s);
  EXPECT_EQ(a.status(b).tx_bytes, b.status(a).rx_bytes);
  EXPECT_EQ(b.status(a).tx_bytes, a.status(b).rx_bytes);
  // Initiation; 20 + 8 + 64 bytes in 16s, and 32 around them; keepalives for what came last.
  EXPECT_GE(a.status(b).tx_bytes, 148u + 96u + 32u);
}

TEST_F(Tunnel, P78_WhatTheSystemRefusesIsNotCounted) {
  EXPECT_TRUE(ping());
  const std::uint64_t before = a.status(b).tx_bytes;
  a.udp->refuse_sends(SIZE_MAX);
  EXPECT_FALSE(ping());
  world.run(30s);  // keepalives and handshakes are refused, too
  EXPECT_EQ(a.status(b).tx_bytes, before);
  a.udp->refuse_sends(0);
  EXPECT_TRUE(ping());
  EXPECT_GT(a.status(b).tx_bytes, before);
}

TEST_F(Tunnel, P56_TheInitiatorRekeysAfterTwoMinutesAndLosesNothing) {
  std::size_t arrived = 0;
  for (int second = 0; second < 125; ++second) {
    arrived += ping() ? 1 : 0;
    world.run(1s);
    EXPECT_EQ(world.count_sent(kInitiation, a), second < 120 ? 1u : 2u) << second;
  }
  EXPECT_EQ(arrived, 125u);
}

TEST_F(Tunnel, P56_TheResponderDoesNotRekey) {
  ping();
  for (int second = 0; second < 130; ++second) {
    EXPECT_TRUE(pong());
    world.run(1s);
  }
  EXPECT_EQ(world.count_sent(kInitiation, b), 0u);
}

TEST_F(Tunnel, P45_AKeyOfThreeMinutesOpensNothing) {
  ping();
  a.sends(there(64));
  world.network.set_hook([](io::MemoryDatagram&) { return io::MemoryNetwork::Fate::hold; });
  world.settle();
  world.run(180s);
  world.network.release_held();
  world.settle();
  EXPECT_THAT(b.receives(), IsEmpty());
  EXPECT_GE(b.drops(Drop::expired_keypair), 1u);
}

TEST_F(Tunnel, P54_AfterNineMinutesOfSilenceNoKeyIsLeft) {
  ping();
  const std::vector<io::MemoryDatagram> sent = world.network.sent();
  world.run(541s);
  ASSERT_TRUE(world.network.deliver(sent.back()));  // what was last sent on the old key
  world.settle();
  EXPECT_EQ(b.drops(Drop::unknown_index), 1u);
}

TEST_F(Tunnel, ASessionLongDeadIsMadeAnewByTheNextPacket) {
  ping();
  world.run(600s);
  EXPECT_TRUE(ping());
  EXPECT_TRUE(pong());
}

TEST_F(Tunnel, P31_SimultaneousInitiationsEndWithKeysThatWork) {
  a.sends(there(64));
  b.sends(back(64));
  // Both initiations are on their way before either arrives.
  world.network.set_hook([](io::MemoryDatagram&) { return io::MemoryNetwork::Fate::hold; });
  b.add_peer(a, "", true);
  world.settle();
  EXPECT_EQ(world.count_sent(kInitiation, a), 1u);
  EXPECT_EQ(world.count_sent(kInitiation, b), 1u);
  lose_nothing();
  world.network.release_held();
  world.settle();
  world.run(15s);
  EXPECT_THAT(b.receives(), SizeIs(1));
  EXPECT_THAT(a.receives(), SizeIs(1));
  EXPECT_TRUE(ping());
  EXPECT_TRUE(pong());
}

TEST_F(Tunnel, P50_AnInitiationThatGetsLostIsSentAgain) {
  lose_everything();
  EXPECT_FALSE(ping());
  lose_nothing();
  world.run(5334ms);
  EXPECT_EQ(world.count_sent(kInitiation, a), 2u);
  EXPECT_THAT(b.receives(), SizeIs(1));
}

TEST_F(Tunnel, P50_AResponseThatGetsLostIsMadeGood) {
  world.lose(
      [](const io::MemoryDatagram& datagram) { return datagram.bytes[kWirePrefix] == kResponse; });
  EXPECT_FALSE(ping());
  lose_nothing();
  world.run(5334ms);
  EXPECT_THAT(b.receives(), SizeIs(1));
}

TEST_F(Tunnel, P50_AfterTwentySendsItGivesUp) {
  lose_everything();
  ping();
  world.run(600s);
  EXPECT_EQ(world.count_sent(kInitiation, a), 20u);
  EXPECT_EQ(a.drops(Drop::staged_expired), 1u);
  lose_nothing();
  EXPECT_TRUE(ping());
}

TEST_F(Tunnel, DataFlowsThoughHalfOfAllDatagramsGetLost) {
  packet::testing::Random random(7);
  world.lose([&](const io::MemoryDatagram&) { return random() % 2 == 0; });
  std::size_t arrived = 0;
  for (int second = 0; second < 300; ++second) {
    a.sends(there(64));
    world.run(1s);
    arrived += b.receives().size();
  }
  EXPECT_GE(arrived, 100u);
}

TEST_F(Tunnel, P43_ARepeatedDatagramIsNotDeliveredAgain) {
  ping();
  ASSERT_TRUE(ping());
  ASSERT_TRUE(world.network.deliver(world.network.sent().back()));
  world.settle();
  EXPECT_THAT(b.receives(), IsEmpty());
  EXPECT_EQ(b.drops(Drop::replayed_counter), 1u);
}

TEST_F(Tunnel, P10_AStrangersNoiseIsCountedAndUnanswered) {
  world.network.deliver({{*IpAddress::parse("198.51.100.1"), 7, 0}, b.v4, 0, {9, 9, 9, 9, 9}});
  world.settle();
  EXPECT_EQ(b.drops(Drop::malformed), 1u);
  EXPECT_THAT(world.network.sent(), IsEmpty());
}

TEST_F(Tunnel, P72_WhatAPeerMayNotSendIsNotDelivered) {
  ping();
  Packet forged = there(64);
  forged[12] = 11;  // 11.0.0.1
  packet::testing::repair(forged);
  a.sends(forged);
  world.settle();
  EXPECT_THAT(b.receives(), IsEmpty());
  EXPECT_EQ(b.drops(Drop::inner_source), 1u);
}

TEST_F(Tunnel, P52_DataThatIsNotAnsweredIsAnsweredByAKeepalive) {
  ping();
  world.network.forget_sent();
  world.run(9999ms);
  EXPECT_EQ(world.count_sent(kData, b), 0u);
  world.run(1ms);
  EXPECT_EQ(world.count_sent(kData, b), 1u);
}

TEST_F(Tunnel, P59a_ADownedDeviceIsSilentAndComesBack) {
  ping();
  b.down();
  EXPECT_FALSE(ping());
  world.run(60s);
  b.up();
  world.run(30s);
  EXPECT_TRUE(ping());
}

TEST_F(Tunnel, P101_ANewPrivateKeyEndsTheOldSessionAtOnce) {
  ping();
  test::RepeatableRng rng(99);
  protocol::DeviceChange change;
  change.private_key = crypto::generate_private_key(rng);
  a.key = PrivateKey(change.private_key->clone());
  a.apply(std::move(change));
  EXPECT_FALSE(ping());
  b.add_peer(a, "10.0.0.0/24,fd00::/64");
  world.run(5334ms);
  EXPECT_THAT(b.receives(), SizeIs(1));
}

TEST_F(Tunnel, P82_UnderAFloodDataStillFlowsAndStrangersGetCookies) {
  ping();
  // Good macs of a stranger's: all that it needs is b's public key.
  World strangers_world;
  Host& stranger = strangers_world.host();
  stranger.add_peer(b, "0.0.0.0/0");
  stranger.up();
  stranger.sends(there(64));
  strangers_world.settle();
  io::MemoryDatagram initiation = strangers_world.network.sent().at(0);
  world.network.forget_sent();
  for (std::uint32_t i = 0; i < 1024; ++i) {
    const std::array<std::uint8_t, 4> address{10, 9, static_cast<std::uint8_t>(i >> 8),
                                              static_cast<std::uint8_t>(i)};
    initiation.from = {IpAddress::v4(address), 9, 0};
    initiation.to = b.v4;
    world.network.deliver(initiation);
  }
  EXPECT_TRUE(ping());
  EXPECT_GE(b.drops(Drop::cookie_required), 512u);
  EXPECT_GE(world.count_sent(3, b), 512u);
}

}  // namespace
}  // namespace ferrule::engine::testing
