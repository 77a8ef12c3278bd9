// Transport data between devices (P40 to P46, P70 to P78).
#include <gtest/gtest.h>

#include "packet/ip.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

class Data : public ::testing::Test {
 protected:
  Data() { world.pair(a, b); }

  OutboundPacket ping(std::size_t payload = 64) {
    const OutboundPacket packet = a.send(ipv4("10.0.0.1", "10.0.0.2", payload));
    world.settle();
    return packet;
  }
  // Seals `inner` as a's next message to b would be, whatever it holds.
  void send_raw(const Packet& inner) {
    Packet carrier = ipv4("10.0.0.1", "10.0.0.2", inner.size());
    OutboundPacket packet;
    packet.inner = carrier;
    SendPlan plan;
    Attention attention;
    a.device->plan_send(world.now(), {&packet, 1}, plan, attention);
    ASSERT_EQ(packet.verdict, Verdict::send);
    const SendRun& run = plan.runs.front();
    Datagram datagram{a.endpoint, run.to, 0, Packet(inner.size() + TransportLayout::kOverhead)};
    write_transport_header(datagram.bytes.data(), run.keypair->remote_index(),
                           packet.first_counter);
    copy(inner, MutBytes(datagram.bytes).subspan(16));
    const crypto::AeadPacket sealed{datagram.bytes.data() + 16, inner.size(),
                                    &run.keypair->sending_key(), packet.first_counter};
    crypto::best_aead_backend().seal({&sealed, 1});
    b.receive(datagram);
  }

  World world;
  Host& a = world.host("192.0.2.1:1000");
  Host& b = world.host("[2001:db8::2]:2000");
};

TEST_F(Data, P70_PlaintextIsPaddedTo16AndTrimmedAgain) {
  ping(3);
  EXPECT_EQ(world.sent.back().bytes.size(), 32u + 32u);
  ASSERT_EQ(b.delivered.size(), 1u);
  EXPECT_EQ(b.delivered[0], ipv4("10.0.0.1", "10.0.0.2", 3));
}

TEST_F(Data, P70_PaddingNeverGoesBeyondTheMtu) {
  EXPECT_EQ(padded_size(1419, 1420), 1420u);
  EXPECT_EQ(padded_size(1420, 1420), 1420u);
  EXPECT_EQ(padded_size(1401, 1420), 1408u);
  EXPECT_EQ(padded_size(1, 1420), 16u);
  EXPECT_EQ(padded_size(0, 1420), 0u);
  EXPECT_EQ(padded_size(1500, 1420), 1500u);
}

TEST_F(Data, P75c_AnMtuOfZeroOr65535IsNoCrash) {
  for (const std::size_t mtu : {0, 576, 65535}) {
    a.device->set_mtu(mtu);
    const std::size_t before = b.delivered.size();
    ping(100);
    EXPECT_EQ(b.delivered.size(), before + 1);
  }
}

TEST_F(Data, P71_KeepaliveCountsAndIsNotDelivered) {
  ping();
  const std::uint64_t before = b.status(a).rx_bytes;
  send_raw({});
  EXPECT_EQ(b.status(a).rx_bytes, before + 32);
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Data, ALostMessageIsCountedByWhoMissesIt) {
  ping();
  world.passes = [](const Datagram&) { return false; };
  for (int i = 0; i < 3; ++i) ping();
  world.passes = nullptr;
  EXPECT_EQ(b.status(a).messages, (MessageCounts{1, 1}));  // nothing tells of them yet
  ping();
  EXPECT_EQ(b.status(a).messages, (MessageCounts{2, 5}));
}

TEST_F(Data, AKeepaliveIsAMessageToo) {
  ping();
  send_raw({});
  EXPECT_EQ(b.status(a).messages, (MessageCounts{2, 2}));
}

TEST_F(Data, AForgedMessageIsNotCounted) {
  ping();
  Datagram data = world.sent.back();
  data.bytes[8] = 100;  // a counter far ahead
  b.receive(data);
  EXPECT_EQ(b.drops(Drop::bad_tag), 1u);
  EXPECT_EQ(b.status(a).messages, (MessageCounts{1, 1}));
}

TEST_F(Data, CountsGoOnOverNewSessions) {
  std::uint64_t rounds = 0;
  for (; rounds < 6; ++rounds) {
    ping();
    world.passes = [](const Datagram&) { return false; };
    ping();
    world.passes = nullptr;
    ping();
    world.run(130s);
  }
  const MessageCounts counts = b.status(a).messages.value();
  EXPECT_EQ(counts.lost(), rounds);
  EXPECT_GE(counts.received, 2 * rounds);
  b.down();
  EXPECT_EQ(b.status(a).messages, counts);
}

TEST_F(Data, P72_UnknownIndexIsDropped) {
  ping();
  Datagram data = world.sent.back();
  data.bytes[4] ^= 1;
  b.receive(data);
  EXPECT_EQ(b.drops(Drop::unknown_index), 1u);
}

TEST_F(Data, P72_WrongTagIsDroppedAndMovesNothing) {
  ping();
  Datagram data = world.sent.back();
  data.bytes.back() ^= 1;
  data.bytes[8] = 100;  // a counter far ahead
  data.from = *Endpoint::parse("198.51.100.1:1");
  b.receive(data);
  EXPECT_EQ(b.drops(Drop::bad_tag), 1u);
  EXPECT_EQ(b.status(a).endpoint, a.endpoint);
  for (int i = 0; i < 3; ++i) ping();
  EXPECT_EQ(b.delivered.size(), 4u);
}

TEST_F(Data, P72_InnerVersionMustBe4Or6) {
  ping();
  Packet inner = ipv4("10.0.0.1", "10.0.0.2");
  inner[0] = 0x55;
  send_raw(inner);
  EXPECT_EQ(b.drops(Drop::inner_version), 1u);
}

TEST_F(Data, P72_InnerHeaderMustBeWhole) {
  ping();
  Packet inner = ipv4("10.0.0.1", "10.0.0.2");
  inner.resize(19);
  send_raw(inner);
  Packet v6 = ipv6("fd00::1", "fd00::2");
  v6.resize(39);
  send_raw(v6);
  EXPECT_EQ(b.drops(Drop::inner_header), 2u);
}

TEST_F(Data, P72_InnerLengthMustFitThePlaintext) {
  ping();
  Packet longer = ipv4("10.0.0.1", "10.0.0.2");
  store_be16(&longer[2], static_cast<std::uint16_t>(longer.size() + 1));
  send_raw(longer);
  Packet shorter = ipv4("10.0.0.1", "10.0.0.2");
  store_be16(&shorter[2], 19);
  send_raw(shorter);
  EXPECT_EQ(b.drops(Drop::inner_length), 2u);
}

TEST_F(Data, P72_InnerSourceMustRouteToItsSender) {
  ping();
  send_raw(ipv4("10.0.0.3", "10.0.0.2"));
  send_raw(ipv4("10.0.0.2", "10.0.0.2"));
  send_raw(ipv6("fd00::3", "fd00::2"));
  EXPECT_EQ(b.drops(Drop::inner_source), 3u);
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Data, P72_AMoreSpecificPrefixOfAnotherPeerWins) {
  Host& c = world.host("192.0.2.3:3000");
  b.add_peer(a, "10.0.0.0/24");
  ping();
  b.add_peer(c, "10.0.0.1/32");
  ping();
  EXPECT_EQ(b.drops(Drop::inner_source), 1u);
}

TEST_F(Data, P72_BothFamiliesAreCarried) {
  (void)a.send(ipv6("fd00::1", "fd00::2", 5));
  world.settle();
  ASSERT_EQ(b.delivered.size(), 1u);
  EXPECT_EQ(b.delivered[0], ipv6("fd00::1", "fd00::2", 5));
}

TEST_F(Data, P73_DestinationWithoutAPeerIsDropped) {
  EXPECT_EQ(a.send(ipv4("10.0.0.1", "10.9.9.9")).drop, Drop::no_route);
  EXPECT_EQ(a.drops(Drop::no_route), 1u);
}

TEST_F(Data, P73_PeerWithoutEndpointIsDropped) {
  Host& c = world.host("192.0.2.3:3000");
  a.add_peer(c, "10.0.0.3/32", false);
  EXPECT_EQ(a.send(ipv4("10.0.0.1", "10.0.0.3")).drop, Drop::no_endpoint);
}

TEST_F(Data, P73_At129StagedPacketsTheOldestGoes) {
  world.passes = [](const Datagram&) { return false; };
  for (std::size_t i = 0; i < 129; ++i) (void)a.send(ipv4("10.0.0.1", "10.0.0.2", i));
  EXPECT_EQ(a.drops(Drop::staged_overflow), 1u);
  world.passes = nullptr;
  world.run(6s);
  ASSERT_EQ(b.delivered.size(), 128u);
  EXPECT_EQ(b.delivered.front(), ipv4("10.0.0.1", "10.0.0.2", 1));
  EXPECT_EQ(b.delivered.back(), ipv4("10.0.0.1", "10.0.0.2", 128));
}

TEST_F(Data, P77_StagedPacketsComeBeforeLaterOnes) {
  for (std::size_t i = 0; i < 10; ++i) (void)a.send(ipv4("10.0.0.1", "10.0.0.2", i));
  world.settle();
  for (std::size_t i = 10; i < 20; ++i) (void)a.send(ipv4("10.0.0.1", "10.0.0.2", i));
  world.settle();
  ASSERT_EQ(b.delivered.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(b.delivered[i].size(), 20 + i);
}

TEST_F(Data, P77_APacketDoesNotOvertakeStagedOnesThoughTheSessionIsThere) {
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2", 1));
  b.receive(world.network.front());
  const Datagram response = world.sent.back();
  ASSERT_EQ(response.type(), 2);
  HandshakeMessage message;
  message.size = ResponseLayout::kSize;
  copy(response.bytes, message.bytes);
  message.from = b.endpoint;
  Outbox outbox;
  a.device->handle(world.now(), message, false, outbox);
  ASSERT_EQ(outbox.flush.size(), 1u);  // no lane has come for what is staged yet
  EXPECT_EQ(a.send(ipv4("10.0.0.1", "10.0.0.2", 2)).verdict, Verdict::stage);
}

TEST_F(Data, P76_EcnIsCopiedOutDscpIsNot) {
  ping();
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2", 10, 0xB8 | 1));
  EXPECT_EQ(world.sent.back().traffic_class, 1);
}

TEST_F(Data, P76_OuterCongestionMarkReachesAnEctPacket) {
  ping();
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2", 10, 2));
  world.network.back().traffic_class = 3;
  world.settle();
  EXPECT_EQ(b.delivered.back()[1] & 3, 3);
}

TEST_F(Data, P76b_CongestionMarkOnANonEctPacketDoesNotDropIt) {
  ping();
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2", 10, 0));
  world.network.back().traffic_class = 3;
  world.settle();
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(Data, P76c_MulticastAndBroadcastFollowAllowedIpsLikeEverythingElse) {
  EXPECT_EQ(a.send(ipv4("10.0.0.1", "224.0.0.1")).drop, Drop::no_route);
  EXPECT_EQ(a.send(ipv4("10.0.0.1", "255.255.255.255")).drop, Drop::no_route);
  a.add_peer(b, "10.0.0.2/32,224.0.0.0/4,255.255.255.255/32");
  (void)a.send(ipv4("10.0.0.1", "224.0.0.1"));
  (void)a.send(ipv4("10.0.0.1", "255.255.255.255"));
  world.settle();
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(Data, P78_CountersCountWholeAuthenticatedMessages) {
  ping(64);  // 84 bytes of packet: 96 padded, 128 on the wire
  EXPECT_EQ(a.status(b).tx_bytes, 148u + 128u);
  EXPECT_EQ(a.status(b).rx_bytes, 92u);
  EXPECT_EQ(b.status(a).rx_bytes, 148u + 128u);
  EXPECT_EQ(b.status(a).tx_bytes, 92u);
}

TEST_F(Data, P78_RefusedMessagesAreNotCounted) {
  ping();
  const std::uint64_t before = b.status(a).rx_bytes;
  b.receive(world.sent.back());  // a replay
  EXPECT_EQ(b.status(a).rx_bytes, before);
}

TEST_F(Data, P43_DuplicateIsDropped) {
  ping();
  b.receive(world.sent.back());
  EXPECT_EQ(b.drops(Drop::replayed_counter), 1u);
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST_F(Data, P43_AWrongTagDoesNotMoveTheWindow) {
  ping();
  Datagram forged = world.sent.back();
  store_le64(forged.bytes.data() + TransportLayout::kCounter, 1'000'000);
  b.receive(forged);
  EXPECT_EQ(b.drops(Drop::bad_tag), 1u);
  ping();
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(Data, P40_PacketsOfThePreviousKeypairStillArrive) {
  ping();
  world.run(121s);
  std::vector<Datagram> late;
  world.passes = [&](const Datagram& datagram) {
    if (datagram.type() == 4 && late.empty()) {
      late.push_back(datagram);
      return false;
    }
    return true;
  };
  ping();  // this one is delayed, and begins a rekey
  ping();
  ASSERT_EQ(world.count_sent(1, a), 2u);
  b.receive(late.at(0));
  EXPECT_EQ(b.delivered.size(), 3u);
}

TEST_F(Data, P42_ResponderDoesNotSendBeforeItsKeyIsConfirmed) {
  world.passes = [](const Datagram& datagram) { return datagram.type() < 3; };
  ping();  // the initiator's data is lost: the key is not confirmed
  EXPECT_EQ(b.send(ipv4("10.0.0.2", "10.0.0.1")).verdict, Verdict::stage);
}

TEST_F(Data, P42_WhatTheResponderStagedGoesOnConfirmation) {
  world.passes = [](const Datagram& datagram) { return datagram.type() < 3; };
  ping();
  (void)b.send(ipv4("10.0.0.2", "10.0.0.1"));
  world.passes = nullptr;
  ping();
  EXPECT_EQ(a.delivered.size(), 1u);
}

TEST_F(Data, P44_PastTheLastCounterNothingIsReceived) {
  ping();
  Datagram data = world.sent.back();
  store_le64(data.bytes.data() + TransportLayout::kCounter, kRejectAfterMessages);
  b.receive(data);
  EXPECT_EQ(b.drops(Drop::counter_limit), 1u);
}

TEST_F(Data, P91_RemovingAPeerRemovesItsEntries) {
  DeviceChange change;
  change.peers.emplace_back();
  change.peers[0].public_key = b.public_key();
  change.peers[0].remove = true;
  a.apply(std::move(change));
  EXPECT_EQ(ping().drop, Drop::no_route);
}

TEST_F(Data, P46_APacketInFlightOfAnErasedKeyIsNotDelivered) {
  ping();
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  Packet bytes = world.network.back().bytes;
  InboundMessage message;
  message.message = bytes;
  message.from = a.endpoint;
  ReceivePlan plan;
  b.device->plan_receive(world.now(), {&message, 1}, plan);
  ASSERT_TRUE(message.is_planned());
  b.down();
  message.opened = true;
  Attention attention;
  b.device->finish_receive(world.now(), plan, {&message, 1}, attention);
  EXPECT_EQ(message.drop, Drop::expired_keypair);
}

TEST_F(Data, P46_APacketInFlightOfARemovedPeerIsNotDelivered) {
  ping();
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  Packet bytes = world.network.back().bytes;
  InboundMessage message;
  message.message = bytes;
  message.from = a.endpoint;
  ReceivePlan plan;
  b.device->plan_receive(world.now(), {&message, 1}, plan);
  ASSERT_TRUE(message.is_planned());
  DeviceChange change;
  change.replace_peers = true;
  b.apply(std::move(change));
  message.opened = true;
  Attention attention;
  b.device->finish_receive(world.now(), plan, {&message, 1}, attention);
  EXPECT_EQ(message.drop, Drop::peer_removed);
}

}  // namespace
}  // namespace ferrule::protocol::testing
