#include "tunnel/tunnel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>

#include "base/key_text.h"
#include "crypto/x25519.h"
#include "protocol/world_testing.h"

namespace ferrule::tunnel {
namespace {

using protocol::Drop;
using protocol::testing::ipv4;
using protocol::testing::NullLog;
using protocol::testing::Packet;
using protocol::testing::SeededRng;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string text_of(const PrivateKey& key) {
  std::string text(kKeyHexSize, ' ');
  key_to_hex(key.bytes(), std::span<char, kKeyHexSize>(text));
  return text;
}

// A tunnel, its address, and what came out of it.
struct Side {
  explicit Side(std::uint64_t seed) : rng(seed), key(*crypto::generate_private_key(rng)) {}

  [[nodiscard]] std::string public_key() const { return to_hex(crypto::public_key_of(key)); }

  SeededRng rng;
  NullLog log;
  PrivateKey key;
  Endpoint endpoint;
  Tunnel tunnel{rng, log};
  Output out;
  std::vector<Packet> packets;
  std::size_t datagrams_sent = 0;
};

class TunnelTest : public ::testing::Test {
 protected:
  TunnelTest() {
    a.endpoint = *Endpoint::parse("192.0.2.1:1000");
    b.endpoint = *Endpoint::parse("192.0.2.2:2000");
    configure(a, b, "10.0.0.2/32");
    configure(b, a, "10.0.0.1/32");
    for (Side* side : {&a, &b}) {
      side->tunnel.up(now, side->out);
      deliver(*side);
    }
  }

  void configure(Side& side, const Side& peer, const std::string& allowed_ip) {
    const std::string answer = ask(side, "set=1\nprivate_key=" + text_of(side.key) +
                                             "\nlisten_port=1000\npublic_key=" + peer.public_key() +
                                             "\nendpoint=" + peer.endpoint.to_string() +
                                             "\nallowed_ip=" + allowed_ip + "\n\n");
    ASSERT_EQ(answer, "errno=0\n\n");
  }

  std::string ask(Side& side, const std::string& request) {
    return std::string(side.tunnel.configure(now, request, side.out).view());
  }

  Side& other(const Side& side) { return &side == &a ? b : a; }
  // Carries what `side` sends to the other one, and so on.
  void deliver(Side& side) {
    std::vector<Packet> copies;
    for (const Outgoing& datagram : side.out.datagrams) {
      copies.emplace_back(datagram.bytes.begin(), datagram.bytes.end());
      side.tunnel.sent(datagram);
    }
    side.datagrams_sent += copies.size();
    for (Packet& copy : copies) receive(other(side), copy, side.endpoint);
  }
  void receive(Side& side, Packet& datagram, const Endpoint& from) {
    const Incoming incoming{datagram, from, {side.endpoint.address, 1}, 0};
    side.tunnel.decapsulate(now, {&incoming, 1}, side.out);
    for (const Bytes packet : side.out.packets) {
      side.packets.emplace_back(packet.begin(), packet.end());
    }
    deliver(side);
  }
  void send(Side& side, const std::vector<Packet>& packets) {
    const std::vector<Bytes> batch(packets.begin(), packets.end());
    side.tunnel.encapsulate(now, batch, side.out);
    deliver(side);
  }
  // Goes on by `span`, stopping at every deadline on the way.
  void run(Duration span) {
    const Instant end = now.boot + span;
    for (;;) {
      Instant next = end;
      for (Side* side : {&a, &b}) next = std::min(next, side->tunnel.next_deadline().value_or(end));
      if (next >= end) break;
      now.boot = std::max(now.boot, next);
      for (Side* side : {&a, &b}) {
        side->tunnel.tick(now, side->out);
        deliver(*side);
      }
    }
    now.boot = end;
  }

  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  Side a{1};
  Side b{2};
  const Packet there = ipv4("10.0.0.1", "10.0.0.2");
  const Packet back = ipv4("10.0.0.2", "10.0.0.1");
};

TEST_F(TunnelTest, TheFirstPacketWaitsForASessionAndArrives) {
  send(a, {there});
  EXPECT_THAT(b.packets, ElementsAre(there));
  send(b, {back});
  EXPECT_THAT(a.packets, ElementsAre(back));
}

TEST_F(TunnelTest, ABatchArrivesInOrderHoweverLongItsPacketsAre) {
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < 50; ++i) packets.push_back(ipv4("10.0.0.1", "10.0.0.2", 27 * i));
  send(a, packets);
  EXPECT_EQ(b.packets, packets);
  b.packets.clear();
  send(a, packets);
  EXPECT_EQ(b.packets, packets);
}

TEST_F(TunnelTest, P78_BytesCountAsSentWhenTheyWere) {
  send(a, {there});
  // An initiation, and a packet of 84 bytes, padded to 96.
  const std::string sent = "tx_bytes=" + std::to_string(148 + 96 + 32) + "\n";
  EXPECT_THAT(ask(a, "get=1\n\n"), HasSubstr(sent));
  a.tunnel.encapsulate(now, std::array{Bytes(there)}, a.out);
  a.tunnel.sent(a.out.datagrams.at(0), 1);  // refused
  EXPECT_THAT(ask(a, "get=1\n\n"), HasSubstr(sent));
}

TEST_F(TunnelTest, AnAnswerThatIsDueComesAtItsDeadline) {
  send(a, {there});
  const std::size_t before = b.datagrams_sent;
  run(9s);
  EXPECT_EQ(b.datagrams_sent, before);
  run(2s);
  EXPECT_EQ(b.datagrams_sent, before + 1) << "a keepalive after ten seconds";
}

TEST_F(TunnelTest, KeysAreRenewedUnderTraffic) {
  for (int i = 0; i < 300; ++i) {
    send(a, {there});
    send(b, {back});
    run(1s);
  }
  EXPECT_THAT(a.packets, SizeIs(300));
  EXPECT_THAT(b.packets, SizeIs(300));
}

TEST_F(TunnelTest, AnIdleTunnelWaitsForNothing) {
  send(a, {there});
  run(700s);
  EXPECT_EQ(a.tunnel.next_deadline(), std::nullopt);
  EXPECT_EQ(b.tunnel.next_deadline(), std::nullopt);
}

TEST_F(TunnelTest, WhatIsNoMessageOfOursIsCountedAndNotAnswered) {
  Packet junk(100, 7);
  receive(b, junk, a.endpoint);
  EXPECT_EQ(b.tunnel.device().drops()[Drop::malformed], 1u);
  EXPECT_THAT(b.out.datagrams, IsEmpty());
  EXPECT_THAT(b.packets, IsEmpty());
}

TEST_F(TunnelTest, APacketForNobodyIsCounted) {
  send(a, {ipv4("10.0.0.1", "10.9.9.9")});
  EXPECT_EQ(a.tunnel.device().drops()[Drop::no_route], 1u);
  EXPECT_THAT(a.out.datagrams, IsEmpty());
}

TEST_F(TunnelTest, WhatIsDownSendsNothing) {
  a.tunnel.down();
  send(a, {there});
  EXPECT_THAT(a.out.datagrams, IsEmpty());
  EXPECT_THAT(b.packets, IsEmpty());
}

TEST_F(TunnelTest, AFloodOfHandshakesIsHandledInTurns) {
  // A message of each of very many initiations, all of one peer: the newest wins.
  const std::string remove = "set=1\npublic_key=" + b.public_key() + "\nremove=true\n\n";
  std::vector<Packet> initiations;
  for (int i = 0; i < 100; ++i) {
    now.wall.seconds += 1;
    (void)ask(a, remove);
    configure(a, b, "10.0.0.2/32");
    const Bytes packet = there;
    a.tunnel.encapsulate(now, {&packet, 1}, a.out);
    ASSERT_THAT(a.out.datagrams, SizeIs(1));
    initiations.emplace_back(a.out.datagrams[0].bytes.begin(), a.out.datagrams[0].bytes.end());
  }
  std::vector<Incoming> batch;
  for (Packet& initiation : initiations) batch.push_back({initiation, a.endpoint, {}, 0});
  b.tunnel.decapsulate(now, batch, b.out);
  EXPECT_LE(b.out.datagrams.size(), protocol::kHandshakesTogether);
  EXPECT_EQ(b.tunnel.next_deadline(), Instant()) << "there is more to do at once";
  for (int turns = 0; b.tunnel.next_deadline() == Instant(); ++turns) {
    ASSERT_LT(turns, 10);
    b.tunnel.tick(now, b.out);
  }
}

TEST_F(TunnelTest, P82_AFloodOfStrangersIsAskedForCookies) {
  Side stranger{3};
  stranger.endpoint = *Endpoint::parse("192.0.2.3:3000");
  configure(stranger, b, "10.0.0.2/32");
  stranger.tunnel.up(now, stranger.out);
  const Bytes packet = there;
  stranger.tunnel.encapsulate(now, {&packet, 1}, stranger.out);
  ASSERT_THAT(stranger.out.datagrams, SizeIs(1));
  const Bytes sent = stranger.out.datagrams[0].bytes;
  Packet initiation(sent.begin(), sent.end());
  std::vector<Incoming> flood;
  for (std::uint32_t i = 0; i < 1024; ++i) {
    std::array<std::uint8_t, 4> address;
    store_be32(address.data(), 0x0a090000 + i);
    flood.push_back({initiation, {IpAddress::v4(address), 9, 0}, {}, 0});
  }
  b.tunnel.decapsulate(now, flood, b.out);
  std::size_t cookies = 0;
  for (int turns = 0; turns < 1024 && b.tunnel.next_deadline() == Instant(); ++turns) {
    b.tunnel.tick(now, b.out);
    for (const Outgoing& datagram : b.out.datagrams) {
      cookies += protocol::classify(datagram.bytes.subspan(kWirePrefix)) ==
                 protocol::MessageType::cookie_reply;
    }
  }
  EXPECT_GE(cookies, 512u);
}

// --- UAPI ---

TEST_F(TunnelTest, GetTellsTheConfiguration) {
  const std::string answer = ask(a, "get=1\n\n");
  EXPECT_THAT(answer, StartsWith("private_key=" + text_of(a.key) + "\nlisten_port=1000\n"));
  EXPECT_THAT(answer, HasSubstr("public_key=" + b.public_key() + "\n"));
  EXPECT_THAT(answer, HasSubstr("endpoint=192.0.2.2:2000\n"));
  EXPECT_THAT(answer, HasSubstr("allowed_ip=10.0.0.2/32\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("errno=0\n\n"));
}

TEST_F(TunnelTest, P102_ARequestWithAnErrorChangesNothing) {
  const std::string before = ask(a, "get=1\n\n");
  const std::string answer = ask(a, "set=1\nreplace_peers=true\nlisten_port=high\n\n");
  EXPECT_THAT(answer, StartsWith("errno=-"));
  EXPECT_EQ(ask(a, "get=1\n\n"), before);
}

TEST_F(TunnelTest, ARequestThatIsCutOffIsAnsweredWithAnError) {
  EXPECT_THAT(ask(a, "set=1\nlisten_port=7\n"), StartsWith("errno=-"));
  EXPECT_EQ(a.tunnel.listen_port(), 1000);
}

TEST_F(TunnelTest, EachOfSeveralRequestsIsAnswered) {
  EXPECT_EQ(ask(a, "set=1\nlisten_port=7\n\nset=1\nfwmark=9\n\n"), "errno=0\n\nerrno=0\n\n");
  EXPECT_EQ(a.tunnel.listen_port(), 7);
  EXPECT_EQ(a.tunnel.fwmark(), 9u);
}

}  // namespace
}  // namespace ferrule::tunnel
