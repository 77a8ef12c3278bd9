// A transport that writes before each message: a frame's length, a disguise. All tests of tunnels and of the
// engine's lanes in this program have room for one, too.
#include "base/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "crypto/x25519.h"
#include "protocol/world_testing.h"
#include "tunnel/tunnel.h"

namespace ferrule::tunnel {
namespace {

using protocol::testing::ipv4;
using protocol::testing::NullLog;
using protocol::testing::Packet;
using protocol::testing::SeededRng;

static_assert(kWirePrefix == 12, "what this program is about");

struct Side {
  Side(std::uint64_t seed, std::string_view at)
      : rng(seed), key(*crypto::generate_private_key(rng)), endpoint(*Endpoint::parse(at)) {}
  SeededRng rng;
  NullLog log;
  PrivateKey key;
  Endpoint endpoint;
  Tunnel tunnel{rng, log};
  Output out;
};

class WirePrefix : public ::testing::Test {
 protected:
  WirePrefix() {
    meet(a, b, "10.0.0.2/32");
    meet(b, a, "10.0.0.1/32");
  }
  void meet(Side& side, const Side& peer, std::string_view allowed) {
    protocol::DeviceChange change;
    change.private_key = PrivateKey(side.key.clone());
    protocol::PeerChange& added = change.peers.emplace_back();
    added.public_key = crypto::public_key_of(peer.key);
    added.endpoint = peer.endpoint;
    added.allowed_ips.push_back({*Cidr::parse(allowed), false});
    ASSERT_TRUE(side.tunnel.configure(now, std::move(change), side.out));
    side.tunnel.up(now, side.out);
  }
  // All that `from` wants sent, as a transport does it: it writes to the room, and ignores it on arrival.
  void carry(Side& from, Side& to) {
    std::vector<Packet> frames;
    for (const Outgoing& datagram : from.out.datagrams) {
      Packet& frame = frames.emplace_back(datagram.bytes.begin(), datagram.bytes.end());
      ASSERT_GE(frame.size(), kWirePrefix + 32);
      std::fill_n(frame.begin(), kWirePrefix, std::uint8_t{0xF7});
      sizes.push_back(frame.size());
      from.tunnel.sent(datagram);
    }
    if (frames.empty()) return;
    std::vector<Incoming> incoming;
    for (Packet& frame : frames) incoming.push_back({frame, from.endpoint, {}, 0});
    to.tunnel.decapsulate(now, incoming, to.out);
    for (const Bytes packet : to.out.packets) arrived.emplace_back(packet.begin(), packet.end());
    carry(to, from);
  }
  std::uint64_t tx_bytes(Side& side) {
    std::uint64_t bytes = 0;
    std::optional<protocol::Device::PeerCursor> cursor;
    (void)side.tunnel.device().visit_peers(
        cursor, 10, [&](const protocol::PeerStatus& peer) { bytes += peer.tx_bytes; });
    return bytes;
  }

  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  Side a{1, "192.0.2.1:1000"};
  Side b{2, "192.0.2.2:2000"};
  std::vector<Packet> arrived;
  std::vector<std::size_t> sizes;
};

TEST_F(WirePrefix, P78_MessagesOfAllKindsStandBehindItAndItIsNotCounted) {
  const Packet inner = ipv4("10.0.0.1", "10.0.0.2", 80);
  for (int i = 0; i < 2; ++i) {  // staged, and with a session
    const Bytes packet = inner;
    a.tunnel.encapsulate(now, {&packet, 1}, a.out);
    carry(a, b);
  }
  EXPECT_EQ(arrived, (std::vector<Packet>{inner, inner}));
  EXPECT_EQ(sizes, (std::vector<std::size_t>{148 + 12, 92 + 12, 112 + 32 + 12, 112 + 32 + 12}));
  EXPECT_EQ(tx_bytes(a), 148u + 2 * 144);
}

TEST_F(WirePrefix, P10_WhatIsShorterThanItIsMalformed) {
  Packet bytes(kWirePrefix - 1, 0xF7);
  const Incoming incoming{bytes, b.endpoint, {}, 0};
  a.tunnel.decapsulate(now, {&incoming, 1}, a.out);
  EXPECT_EQ(a.tunnel.device().drops()[protocol::Drop::malformed], 1u);
}

}  // namespace
}  // namespace ferrule::tunnel
