// What becomes of what is sent: counters (P78), and what the log is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Sending : public ::testing::Test {
 protected:
  Sending() {
    world.pair(a, b);
    b_at_a = a.send(ipv4("10.0.0.1", "10.0.0.2")).peer;
    world.settle();
  }
  void outcome(std::uint64_t bytes, int error) {
    Attention attention;
    a.device->sent(b_at_a, bytes, error, attention);
    Outbox outbox;
    for (const PeerId peer : attention) a.device->attend(world.now(), peer, outbox);
  }

  World world;
  Host& a = world.host("192.0.2.1:1000");
  Host& b = world.host("192.0.2.2:2000");
  PeerId b_at_a;
};

TEST_F(Sending, P78_OnlyWhatTheSystemTookIsCounted) {
  const std::uint64_t before = a.status(b).tx_bytes;
  const Packet inner = ipv4("10.0.0.1", "10.0.0.2");
  OutboundPacket packet;
  packet.inner = inner;
  packet.wire_bytes = 128;
  SendPlan plan;
  Attention attention;
  a.device->plan_send(world.now(), {&packet, 1}, plan, attention);
  EXPECT_EQ(a.status(b).tx_bytes, before);
  outcome(100, 0);
  EXPECT_EQ(a.status(b).tx_bytes, before + 100);
}

TEST_F(Sending, P78_TheLogIsToldOnceWhenItBeginsAndOnceWhenItEnds) {
  for (int i = 0; i < 3; ++i) outcome(0, EPERM);
  EXPECT_THAT(a.log.lines,
              ElementsAre(EndsWith("send to 192.0.2.2:2000: Operation not permitted")));
  outcome(0, 0);
  EXPECT_THAT(a.log.lines, SizeIs(1)) << "nothing was sent";
  for (int i = 0; i < 3; ++i) outcome(100, 0);
  ASSERT_THAT(a.log.lines, SizeIs(2));
  EXPECT_THAT(a.log.lines[1], EndsWith("send to 192.0.2.2:2000: works again"));
}

TEST_F(Sending, P78_ALogIsNotFilledByWhatBeginsAndEndsAllTheTime) {
  for (int i = 0; i < 1000; ++i) outcome(i % 2 == 0 ? 0 : 100, i % 2 == 0 ? EPERM : 0);
  EXPECT_THAT(a.log.lines, SizeIs(kTellsPerInterval + 1));
  world.run(kTellInterval);
  outcome(0, ENETUNREACH);
  EXPECT_THAT(a.log.lines.back(), EndsWith("send to 192.0.2.2:2000: Network is unreachable"));
}

// What a sends to b, in UDP and IP, as it comes back from the tunnel interface.
class EndpointLoop : public Sending {
 protected:
  EndpointLoop() {
    DeviceChange change;
    PeerChange peer;
    peer.public_key = b.public_key();
    peer.allowed_ips.push_back({*Cidr::parse("192.0.2.0/24"), false});
    change.peers.push_back(std::move(peer));
    a.apply(std::move(change));
    world.passes = [](const Datagram&) { return false; };
  }
  static Packet in_udp(const Packet& message, std::uint16_t port = 2000) {
    Packet packet = ipv4("192.0.2.1", "192.0.2.2", 8 + message.size());
    store_be16(&packet[20], 1000);
    store_be16(&packet[22], port);
    copy(message, MutBytes(packet).subspan(28));
    return packet;
  }
  Packet next_message() {
    (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
    return world.sent.back().bytes;
  }
};

TEST_F(EndpointLoop, P73_AMessageOfOursThatComesBackIsDroppedAndToldOnce) {
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = world.sent.size() + 1;
    const OutboundPacket packet = a.send(in_udp(next_message()));
    EXPECT_EQ(packet.verdict, Verdict::drop);
    EXPECT_EQ(world.sent.size(), before);
  }
  EXPECT_EQ(a.drops(Drop::endpoint_loop), 3u);
  EXPECT_THAT(a.log.lines, ElementsAre(EndsWith("leads into the tunnel: dropped")));
}

TEST_F(EndpointLoop, P73_OnceNothingComesBackTheLogIsTold) {
  (void)a.send(in_udp(next_message()));
  for (int i = 0; i < 3; ++i) {
    (void)next_message();
    world.run(600ms);
  }
  (void)next_message();
  ASSERT_THAT(a.log.lines, SizeIs(2));
  EXPECT_THAT(a.log.lines[1], EndsWith("leads into the tunnel no longer"));
}

TEST_F(EndpointLoop, P73_HandshakeMessagesComeBackToo) {
  Packet initiation;
  for (const Datagram& datagram : world.sent) {
    if (datagram.type() == 1) initiation = datagram.bytes;
  }
  world.run(130s);  // the session is old: a handshake is tried, and lost
  (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
  for (const Datagram& datagram : world.sent) {
    if (datagram.type() == 1 && datagram.from == a.endpoint) initiation = datagram.bytes;
  }
  EXPECT_EQ(a.send(in_udp(initiation)).verdict, Verdict::drop);
  EXPECT_EQ(a.drops(Drop::endpoint_loop), 1u);
}

TEST_F(EndpointLoop, P73_ATunnelInTheTunnelIsNoLoop) {
  const Packet own = next_message();
  Packet others = own;
  others[4] ^= 1;  // another receiver, as a tunnel of somebody behind us has
  EXPECT_NE(a.send(in_udp(others)).verdict, Verdict::drop);
  EXPECT_NE(a.send(in_udp(own, 2001)).verdict, Verdict::drop) << "another port";
  others = own;
  others[0] = 5;
  EXPECT_NE(a.send(in_udp(others)).verdict, Verdict::drop) << "no message";
  EXPECT_NE(a.send(in_udp({1, 0, 0})).verdict, Verdict::drop);
  EXPECT_EQ(a.drops(Drop::endpoint_loop), 0u);
  EXPECT_THAT(a.log.lines, IsEmpty());
}

// Each of two peers (or more) is reached through the other: what a sends to one comes back, is sealed for the
// other, comes back, and so on.
class EndpointCycle : public ::testing::Test {
 protected:
  explicit EndpointCycle(std::size_t count = 2) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(i + 2);
      peers.push_back(&world.host("192.0.2." + number + ":2000"));
    }
    for (std::size_t i = 0; i < count; ++i) {
      Host& peer = *peers[i];
      a.add_peer(peer, inside(i) + "," + peers[(i + 1) % count]->endpoint.address.to_string());
      peer.add_peer(a, "10.0.0.1/32");
      peer.up();
    }
    a.up();
    for (std::size_t i = 0; i < count; ++i) (void)a.send(ipv4("10.0.0.1", inside(i)));
    world.settle();
    world.passes = [](const Datagram&) { return false; };
  }
  static std::string inside(std::size_t i) { return "10.0.0." + std::to_string(i + 2); }
  // The last message of a's, as it comes back from the interface.
  [[nodiscard]] Packet comes_back() const {
    const Datagram& last = world.sent.back();
    Packet packet = ipv4("192.0.2.1", last.to.address.to_string(), 8 + last.bytes.size());
    store_be16(&packet[20], 1000);
    store_be16(&packet[22], last.to.port);
    copy(last.bytes, MutBytes(packet).subspan(28));
    return packet;
  }
  // How often a packet to the first peer goes around until it is dropped.
  std::size_t rounds() {
    Verdict verdict = a.send(ipv4("10.0.0.1", inside(0))).verdict;
    std::size_t count = 0;
    while (verdict == Verdict::send && count < 20) {
      verdict = a.send(comes_back()).verdict;
      ++count;
    }
    return count;
  }

  World world;
  Host& a = world.host("192.0.2.1:1000");
  std::vector<Host*> peers;
};

TEST_F(EndpointCycle, P73_WhatGoesInACircleThroughTwoPeersIsDroppedAndToldOnce) {
  for (std::uint64_t i = 1; i < 4; ++i) {
    EXPECT_EQ(rounds(), 2u);
    EXPECT_EQ(a.drops(Drop::endpoint_loop), i);
  }
  EXPECT_THAT(a.log.lines, ElementsAre(EndsWith(
                               "send to 192.0.2.3:2000: the route to the endpoint leads into the "
                               "tunnel: dropped")));
}

TEST_F(EndpointCycle, P73_OncePeersAreReachedByThemselvesTheLogIsTold) {
  (void)rounds();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(a.send(ipv4("10.0.0.1", inside(1))).verdict, Verdict::send);
    world.run(600ms);
  }
  ASSERT_THAT(a.log.lines, SizeIs(2));
  EXPECT_THAT(a.log.lines[1], EndsWith("leads into the tunnel no longer"));
}

TEST_F(EndpointCycle, P73_APeerReachedThroughAnotherIsNone) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(a.send(ipv4("10.0.0.1", inside(1))).verdict, Verdict::send);
    EXPECT_EQ(a.send(comes_back()).verdict, Verdict::send) << "the second through the first";
  }
  world.run(kLoopRest);
  // The routes are changed, and it is the other way around now.
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(a.send(ipv4("10.0.0.1", inside(0))).verdict, Verdict::send);
    EXPECT_EQ(a.send(comes_back()).verdict, Verdict::send) << "the first through the second";
  }
  EXPECT_EQ(a.drops(Drop::endpoint_loop), 0u);
}

TEST_F(EndpointCycle, P73_TunnelsOfOthersThroughBothAreNone) {
  for (int i = 0; i < 3; ++i) {
    for (std::size_t to = 0; to < 2; ++to) {
      ASSERT_EQ(a.send(ipv4("10.0.0.1", inside(to))).verdict, Verdict::send);
      Packet others = comes_back();
      others[28 + 4] ^= 1;  // another receiver
      EXPECT_EQ(a.send(others).verdict, Verdict::send);
    }
  }
  (void)a.send(ipv4("10.0.0.1", inside(0)));
  EXPECT_EQ(a.send(comes_back()).verdict, Verdict::send)
      << "who carries them is reached through one";
  EXPECT_EQ(a.drops(Drop::endpoint_loop), 0u);
}

TEST_F(EndpointCycle, P73_HandshakesThroughTwoPeersAreDroppedToo) {
  world.run(200s);  // the sessions are gone
  (void)a.send(ipv4("10.0.0.1", inside(1)));
  ASSERT_EQ(world.sent.back().type(), 1);
  const Packet initiation = comes_back();
  EXPECT_EQ(a.send(initiation).verdict, Verdict::stage) << "the first has no session either";
  ASSERT_EQ(world.sent.back().type(), 1);
  EXPECT_EQ(a.send(comes_back()).verdict, Verdict::drop);
  EXPECT_EQ(a.drops(Drop::endpoint_loop), 1u);
}

class EndpointLongCycle : public EndpointCycle {
 protected:
  EndpointLongCycle() : EndpointCycle(5) {}
};

TEST_F(EndpointLongCycle, P73_ItMayGoThroughSeveral) {
  EXPECT_EQ(rounds(), 5u);
  EXPECT_EQ(a.drops(Drop::endpoint_loop), 1u);
}

}  // namespace
}  // namespace ferrule::protocol::testing
