// Handshakes between devices (P20 to P35).
#include <gtest/gtest.h>

#include <set>

#include "crypto/x25519.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

class Handshake : public ::testing::Test {
 protected:
  Handshake() { world.pair(a, b); }

  void ping() {
    (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
    world.settle();
  }
  Datagram last(std::uint8_t type) {
    for (auto it = world.sent.rbegin(); it != world.sent.rend(); ++it) {
      if (it->type() == type) return *it;
    }
    return {};
  }
  // Where b's next message to a would leave from.
  Source next_source() {
    const Packet inner = ipv4("10.0.0.2", "10.0.0.1");
    OutboundPacket packet;
    packet.inner = inner;
    packet.wire_bytes = transport_size(inner.size(), b.device->mtu());
    SendPlan plan;
    Attention attention;
    b.device->plan_send(world.now(), {&packet, 1}, plan, attention);
    return plan.runs.at(0).from;
  }
  World world;
  Host& a = world.host("192.0.2.1:1000");
  Host& b = world.host("192.0.2.2:2000");
};

TEST_F(Handshake, P20_InitiatorsFirstPacketArrives) {
  ping();
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Handshake, P23_DataFlowsBothWaysWithTheDerivedKeys) {
  ping();
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  world.settle();
  ASSERT_EQ(a.delivered.size(), 1u);
  EXPECT_EQ(a.delivered[0], ipv4("10.0.0.2", "10.0.0.1"));
}

TEST_F(Handshake, P23_CountersStartAtZero) {
  ping();
  EXPECT_EQ(load_le64(last(4).bytes.data() + TransportLayout::kCounter), 0u);
}

TEST_F(Handshake, P22_SamePresharedKeyWorksAnotherDoesNot) {
  const auto set_psk = [](Host& host, const Host& peer, std::uint8_t byte) {
    DeviceChange change;
    change.peers.emplace_back();
    change.peers[0].public_key = peer.public_key();
    std::array<std::uint8_t, 32> bytes;
    bytes.fill(byte);
    change.peers[0].preshared_key = PresharedKey(bytes);
    host.apply(std::move(change));
  };
  set_psk(a, b, 1);
  set_psk(b, a, 2);
  ping();
  EXPECT_TRUE(b.delivered.empty());
  EXPECT_EQ(a.drops(Drop::bad_handshake), 1u);

  set_psk(b, a, 1);
  world.run(6s);
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Handshake, OnesOwnAreCountedAndThoseThatAreAnswered) {
  world.passes = [](const Datagram& datagram) { return datagram.type() != 1; };
  ping();
  world.run(11s);
  EXPECT_EQ(a.device->initiations_sent(), 3u);
  EXPECT_EQ(a.device->initiations_answered(), 0u);
  world.passes = nullptr;
  world.run(6s);
  EXPECT_EQ(a.device->initiations_sent(), 4u);
  EXPECT_EQ(a.device->initiations_answered(), 1u);
  EXPECT_EQ(b.device->initiations_sent(), 0u);
}

TEST_F(Handshake, ThePeersOwnAreNoAnswersToOurs) {
  world.passes = [&](const Datagram& datagram) {
    return datagram.from != a.endpoint || datagram.type() != 1;
  };
  ping();
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  world.settle();
  ping();
  EXPECT_EQ(b.delivered.size(), 2u);
  EXPECT_EQ(a.device->initiations_sent(), 1u);
  EXPECT_EQ(a.device->initiations_answered(), 0u);
}

TEST_F(Handshake, P26_StrangersInitiationIsDroppedInSilence) {
  Host& stranger = world.host("192.0.2.66:6");
  stranger.add_peer(b, "10.0.0.2/32");
  stranger.up();
  (void)stranger.send(ipv4("10.0.0.66", "10.0.0.2"));
  world.settle();
  EXPECT_EQ(b.drops(Drop::unknown_peer), 1u);
  EXPECT_EQ(world.count_sent(2, b), 0u);
}

TEST_F(Handshake, P26_PeerWithOwnKeyIsIgnored) {
  a.add_peer(a, "10.0.0.9/32");
  EXPECT_EQ(a.device->peer_count(), 1u);
}

TEST_F(Handshake, P26_PeerIsRemovedWhenThePrivateKeyBecomesIts) {
  DeviceChange change;
  change.private_key = PrivateKey(b.key->clone());
  a.apply(std::move(change));
  EXPECT_EQ(a.device->peer_count(), 0u);
}

TEST_F(Handshake, P26_WithoutAPrivateKeyHandshakesFail) {
  DeviceChange change;
  change.private_key = PrivateKey();
  b.apply(std::move(change));
  ping();
  EXPECT_EQ(b.drops(Drop::bad_mac1), 1u);
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  EXPECT_EQ(b.drops(Drop::no_identity), 1u);
  EXPECT_EQ(world.count_sent(1, b), 0u);
}

TEST_F(Handshake, P27_ReplayedInitiationIsDropped) {
  ping();
  world.run(1s);
  b.receive(last(1));
  EXPECT_EQ(b.drops(Drop::replayed_initiation), 1u);
  EXPECT_EQ(world.count_sent(2, b), 1u);
}

TEST_F(Handshake, P27_GreatestTimestampOutlivesRekeysAndNewEndpoints) {
  ping();
  const Datagram first = last(1);
  world.run(130s);
  ping();
  Datagram replay = first;
  replay.from = *Endpoint::parse("198.51.100.7:7");
  b.receive(replay);
  EXPECT_EQ(b.drops(Drop::replayed_initiation), 1u);
  EXPECT_EQ(b.status(a).endpoint, a.endpoint);
}

TEST_F(Handshake, P28_InitiationsWithinTwentyMillisecondsAreDropped) {
  std::vector<Datagram> held;
  world.passes = [&](const Datagram& datagram) {
    if (datagram.type() == 1) held.push_back(datagram);
    return false;
  };
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  world.run(6s);
  ASSERT_EQ(held.size(), 2u);
  b.receive(held[0]);
  b.receive(held[1]);
  EXPECT_EQ(b.drops(Drop::initiation_flood), 1u);
  EXPECT_EQ(world.count_sent(2, b), 1u);
}

TEST_F(Handshake, P28_InitiationsTwentyMillisecondsApartAreTaken) {
  std::vector<Datagram> held;
  world.passes = [&](const Datagram& datagram) {
    if (datagram.type() == 1) held.push_back(datagram);
    return false;
  };
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  world.run(6s);
  b.receive(held[0]);
  world.run(20ms);
  b.receive(held[1]);
  EXPECT_EQ(b.drops(Drop::initiation_flood), 0u);
}

TEST(TimestampTest, P29_IsTai64nWithCoarseNanoseconds) {
  const Timestamp stamp = make_timestamp({1, 0x01FFFFFF});
  EXPECT_EQ(load_be64(stamp.data()), (std::uint64_t{1} << 62) + 10 + 1);
  EXPECT_EQ(load_be32(stamp.data() + 8), 0x01000000u);
}

TEST(TimestampTest, P29_TheNextOneIsGreaterAndStillCoarse) {
  Timestamp stamp = make_timestamp({1, 999'999'999});
  for (int i = 0; i < 200; ++i) {
    const Timestamp next = next_timestamp(stamp);
    ASSERT_GT(next, stamp);
    ASSERT_EQ(load_be32(next.data() + 8) % (1u << 24), 0u);
    ASSERT_LT(load_be32(next.data() + 8), 1'000'000'000u);
    stamp = next;
  }
}

TEST_F(Handshake, P30_ForgedResponseDoesNotCancelTheHandshake) {
  world.passes = [](const Datagram& datagram) { return datagram.type() != 2; };
  ping();
  world.passes = nullptr;
  Datagram forged = last(2);
  const Datagram real = forged;
  forged.bytes[50] ^= 1;  // the encrypted nothing; mac1 is wrong now
  a.receive(forged);
  EXPECT_EQ(a.drops(Drop::bad_mac1), 1u);
  CookieHolder(a.public_key()).add_macs(world.now().boot, forged.bytes);
  a.receive(forged);
  EXPECT_EQ(a.drops(Drop::bad_handshake), 1u);
  a.receive(real);
  world.settle();
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Handshake, P30_ResponseIsConsumedOnce) {
  ping();
  a.receive(last(2));
  EXPECT_EQ(a.drops(Drop::unknown_handshake), 1u);
}

TEST_F(Handshake, P31_SimultaneousInitiationsEndWithWorkingKeysOnBothSides) {
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  world.run(11s);
  EXPECT_EQ(a.delivered.size(), 1u);
  EXPECT_EQ(b.delivered.size(), 1u);
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  world.settle();
  EXPECT_EQ(a.delivered.size(), 2u);
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(Handshake, P34_AcceptingAnInitiationLeavesOnesOwnWaiting) {
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  const Datagram of_a = world.network[0];
  const Datagram of_b = world.network[1];
  world.network.clear();
  a.receive(of_b);
  b.receive(of_a);
  a.receive(last(2));  // b's response to the initiation of a
  EXPECT_EQ(a.drops(Drop::unknown_handshake), 0u);
}

TEST_F(Handshake, P34_OnesOwnIsForgottenOnceThePeersSessionIsUsed) {
  world.passes = [&](const Datagram& datagram) {
    return datagram.from != a.endpoint || datagram.type() != 1;
  };
  ping();
  world.passes = nullptr;
  const Datagram of_a = last(1);
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  world.settle();
  ASSERT_EQ(a.delivered.size(), 1u);
  b.receive(of_a);  // late
  a.receive(last(2));
  EXPECT_EQ(a.drops(Drop::unknown_handshake), 1u);
}

TEST_F(Handshake, P32_HandshakesAreMarkedAf41CookieRepliesAreNot) {
  ping();
  EXPECT_EQ(last(1).traffic_class, 0x88);
  EXPECT_EQ(last(2).traffic_class, 0x88);
  b.under_load = true;
  world.run(130s);
  ping();
  ASSERT_EQ(last(3).type(), 3);
  EXPECT_EQ(last(3).traffic_class, 0);
}

TEST_F(Handshake, P33_EveryInitiationHasItsOwnEphemeralTimestampAndIndex) {
  world.passes = [](const Datagram&) { return false; };
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  world.run(90s);
  std::set<Packet> ephemerals;
  std::set<std::uint32_t> indices;
  for (const Datagram& datagram : world.sent) {
    const auto at = datagram.bytes.begin() + InitiationLayout::kEphemeral;
    ephemerals.emplace(at, at + 32);
    indices.insert(load_le32(datagram.bytes.data() + InitiationLayout::kSender));
  }
  ASSERT_GE(world.sent.size(), 17u);
  EXPECT_EQ(ephemerals.size(), world.sent.size());
  EXPECT_EQ(indices.size(), world.sent.size());
}

TEST_F(Handshake, P35_WithoutRandomnessNothingIsSentAndItGoesOnOnceThereIsSome) {
  a.rng.fails = true;
  ping();
  EXPECT_EQ(world.sent.size(), 0u);
  EXPECT_GE(a.drops(Drop::no_resources), 1u);
  a.rng.fails = false;
  world.run(6s);
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Handshake, P35_ResponderWithoutRandomnessDropsTheInitiation) {
  b.rng.fails = true;
  ping();
  EXPECT_EQ(world.count_sent(2, b), 0u);
  EXPECT_EQ(b.drops(Drop::no_resources), 1u);
}

TEST_F(Handshake, P25_ALowOrderPeerKeyNeverMakesAHandshake) {
  DeviceChange change;
  change.peers.emplace_back();  // the all-zero public key
  change.peers[0].endpoint = b.endpoint;
  change.peers[0].allowed_ips.push_back({*Cidr::parse("10.0.0.9/32"), false});
  a.apply(std::move(change));
  (void)a.send(ipv4("10.0.0.1", "10.0.0.9"));
  world.settle();
  EXPECT_EQ(world.count_sent(1, a), 0u);
}

TEST_F(Handshake, P25_ANewPrivateKeyIsUsedAtOnce) {
  ping();
  b.set_key(77);
  a.add_peer(b, "10.0.0.2/32");
  world.run(1s);
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  world.settle();
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(Handshake, P74_EndpointFollowsAuthenticatedMessagesOnly) {
  ping();
  Datagram moved = last(4);
  moved.from = *Endpoint::parse("198.51.100.9:9");
  b.receive(moved);  // a replay: not authentic
  EXPECT_EQ(b.status(a).endpoint, a.endpoint);
  a.endpoint = *Endpoint::parse("198.51.100.9:9");
  ping();
  EXPECT_EQ(b.status(a).endpoint, a.endpoint);
}

// b with answers to what it asks about its sources.
class StickySource : public Handshake {
 protected:
  StickySource() {
    b.device->judge_sources([this](const Endpoint&, const Source&) {
      ++asked;
      return use;
    });
  }
  void check(SourceUse now, bool is_the_interfaces) {
    use = now;
    b.device->check_sources(
        [=](const Endpoint&, const Source&) { return SourceVerdict{now, is_the_interfaces}; });
    Budget all = Budget::unlimited();
    EXPECT_FALSE(b.device->catch_up(world.now(), all));
  }
  PeerId a_at_b() {
    const Packet inner = ipv4("10.0.0.2", "10.0.0.1");
    OutboundPacket packet;
    packet.inner = inner;
    SendPlan plan;
    Attention attention;
    b.device->plan_send(world.now(), {&packet, 1}, plan, attention);
    return packet.peer;
  }

  SourceUse use = SourceUse::chosen;
  int asked = 0;
  const Source whole{b.endpoint.address, 1};
  const Source address{b.endpoint.address, 0};
};

TEST_F(StickySource, P75_OnlyTheInterfaceIsDroppedWhereNoWayLeadsByIt) {
  use = SourceUse::address;
  ping();
  EXPECT_EQ(next_source(), address);
  ping();
  EXPECT_EQ(next_source(), address) << "data that came to it does not bring it back";
  check(SourceUse::address, true);
  EXPECT_EQ(next_source(), address) << "nothing has moved";
  check(SourceUse::chosen, true);
  EXPECT_EQ(next_source(), whole);
}

TEST_F(StickySource, P75_AWayThatMovesTakesTheInterfacesAddressWithItUntilItIsWrittenTo) {
  ping();
  EXPECT_EQ(next_source(), whole);
  check(SourceUse::address, true);
  EXPECT_TRUE(next_source().is_none());
  ping();
  EXPECT_EQ(next_source(), address);
}

TEST_F(StickySource, P75_AWayThatMovesLeavesAnAddressThatIsNotTheInterfaces) {
  ping();
  check(SourceUse::address, false);
  EXPECT_EQ(next_source(), address);
}

TEST_F(StickySource, P75_NewsOfOtherRoutesLeavesASecondWayAlone) {
  use = SourceUse::possible;
  ping();
  check(SourceUse::possible, true);
  EXPECT_EQ(next_source(), whole);
}

TEST_F(StickySource, P75_AnAddressThatLeavesTheMachineIsForgotten) {
  ping();
  check(SourceUse::nothing, false);
  EXPECT_TRUE(next_source().is_none());
  ping();
  check(SourceUse::chosen, true);
  EXPECT_TRUE(next_source().is_none()) << "it is back, but nothing came to it since";
  ping();
  EXPECT_EQ(next_source(), whole);
}

TEST_F(StickySource, P75_WhatTheKernelRefusedIsNotLearnedFromTheNextDatagram) {
  ping();
  b.device->source_refused(a_at_b(), whole, SourceUse::address);
  EXPECT_EQ(next_source(), address);
  ping();
  EXPECT_EQ(next_source(), address);
  b.device->source_refused(a_at_b(), whole, SourceUse::nothing);
  EXPECT_EQ(next_source(), address) << "said of one that is no longer used";
  b.device->source_refused(a_at_b(), address, SourceUse::nothing);
  ping();
  EXPECT_TRUE(next_source().is_none());
  a.endpoint = *Endpoint::parse("198.51.100.9:9");  // where another way may lead
  ping();
  EXPECT_EQ(next_source(), whole);
}

TEST_F(StickySource, P75_EachPlaceIsAskedAboutOnce) {
  ping();
  ping();
  EXPECT_EQ(asked, 1);
  world.passes = [](const Datagram&) { return false; };
  use = SourceUse::address;
  for (int i = 0; i < 2; ++i) {
    ping();
    Datagram elsewhere = last(4);
    elsewhere.to.address = IpAddress::parse("192.0.2.77").value();
    b.receive(elsewhere);
    EXPECT_EQ(next_source(), (Source{elsewhere.to.address, 0}));
    EXPECT_EQ(asked, 2);
  }
}

TEST_F(StickySource, P75_TheResponseLeavesWhereAWayLeads) {
  use = SourceUse::address;
  world.passes = [](const Datagram&) { return false; };
  ping();
  HandshakeMessage initiation;
  const Packet bytes = last(1).bytes;
  initiation.size = static_cast<std::uint8_t>(bytes.size());
  copy(bytes, initiation.bytes);
  initiation.from = a.endpoint;
  initiation.to = whole;
  Outbox outbox;
  b.device->handle(world.now(), initiation, false, outbox);
  ASSERT_EQ(outbox.messages.size(), 1u);
  EXPECT_EQ(outbox.messages[0].from, address);
}

// What of a message Noise does not cover shows whether anybody looks at its mac1 again.
TEST_F(Handshake, P80_Mac1IsCheckedOnceForAnIdentityAndAgainForTheNext) {
  world.passes = [](const Datagram&) { return false; };
  ping();
  HandshakeMessage message;
  const Packet bytes = last(1).bytes;
  message.size = static_cast<std::uint8_t>(bytes.size());
  copy(bytes, message.bytes);
  message.from = a.endpoint;
  HandshakeMessage unproven = message;
  ASSERT_EQ(b.device->admit_handshake(message, MessageType::handshake_initiation), Drop::none);
  message.bytes[InitiationLayout::kMac1] ^= 1;
  unproven.bytes[InitiationLayout::kMac1] ^= 1;
  Outbox outbox;
  b.device->handle(world.now(), unproven, false, outbox);
  EXPECT_EQ(b.drops(Drop::bad_mac1), 1u);
  EXPECT_TRUE(outbox.messages.empty());
  b.device->handle(world.now(), message, false, outbox);
  EXPECT_EQ(b.drops(Drop::bad_mac1), 1u);
  EXPECT_EQ(outbox.messages.size(), 1u);
  b.set_key(77);
  b.device->handle(world.now(), message, false, outbox);
  EXPECT_EQ(b.drops(Drop::bad_mac1), 2u);
}

TEST_F(Handshake, P74_CookieReplyNeverMovesTheEndpoint) {
  b.under_load = true;
  world.passes = [](const Datagram& datagram) { return datagram.type() != 3; };
  ping();
  Datagram reply = last(3);
  reply.from = *Endpoint::parse("198.51.100.9:9");
  a.receive(reply);
  EXPECT_EQ(a.drops(Drop::bad_cookie_reply), 0u);
  EXPECT_EQ(a.status(b).endpoint, b.endpoint);
}

TEST_F(Handshake, P82_UnderLoadACookieIsAskedForAndTheRetryCarriesIt) {
  b.under_load = true;
  ping();
  EXPECT_EQ(world.count_sent(3, b), 1u);
  EXPECT_EQ(world.count_sent(2, b), 0u);
  EXPECT_EQ(b.drops(Drop::cookie_required), 1u);
  EXPECT_EQ(a.device->cookie_replies(), 1u);
  EXPECT_EQ(world.count_sent(1, a), 1u);  // P84: no retry at once
  world.run(6s);
  EXPECT_EQ(world.count_sent(2, b), 1u);
  EXPECT_EQ(b.delivered.size(), 1u);
}

// Anybody who saw the initiation can make one: it must not cost us anything.
TEST_F(Handshake, P84_ACookieReplyLeavesTheHandshakeWaiting) {
  b.under_load = true;
  ping();
  EXPECT_EQ(a.device->cookie_replies(), 1u);
  b.under_load = false;
  b.receive(last(1));
  world.settle();
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Handshake, P84_ACookieReplyDoesNotPutTheRetryOff) {
  b.under_load = true;
  world.passes = [](const Datagram& datagram) { return datagram.type() != 3; };
  ping();
  world.run(4s);
  a.receive(last(3));
  EXPECT_EQ(a.device->cookie_replies(), 1u);
  world.run(kRekeyTimeout + kMaxTimerJitter - 4s);
  EXPECT_EQ(world.count_sent(1, a), 2u);
}

TEST_F(Handshake, P82_UnderLoadAMessageWithoutMac2CostsNoDh) {
  b.under_load = true;
  ping();
  EXPECT_EQ(b.drops(Drop::unknown_peer) + b.drops(Drop::bad_handshake), 0u);
}

TEST_F(Handshake, P82_WithACookieASourceHasABurstAndThenItsRate) {
  b.under_load = true;
  ping();
  world.run(6s);
  const Datagram with_cookie = last(1);
  for (unsigned i = 0; i < kRateLimitBurst; ++i) b.receive(with_cookie);
  EXPECT_EQ(b.drops(Drop::rate_limited), 0u);
  b.receive(with_cookie);
  EXPECT_EQ(b.drops(Drop::rate_limited), 1u);
}

TEST_F(Handshake, P85_CookieReplyIsShorterThanWhatItAnswers) {
  b.under_load = true;
  ping();
  EXPECT_LT(last(3).bytes.size(), ResponseLayout::kSize);
}

TEST_F(Handshake, P85_NoAnswerWithoutTheRightMac1) {
  ping();
  Datagram wrong = last(1);
  wrong.bytes[InitiationLayout::kMac1] ^= 1;
  const std::size_t before = world.sent.size();
  b.receive(wrong);
  b.under_load = true;
  b.receive(wrong);
  EXPECT_EQ(world.sent.size(), before);
  EXPECT_EQ(b.drops(Drop::bad_mac1), 2u);
}

}  // namespace
}  // namespace ferrule::protocol::testing
