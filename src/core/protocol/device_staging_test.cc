// Packets that wait for a session: their bounds, their order, their end (P44a, P73a, P77).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/own_memory_testing.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

class StagingOfDevices : public ::testing::Test {
 protected:
  StagingOfDevices() { world.pair(a, b); }

  void lose_everything() {
    world.passes = [](const Datagram&) { return false; };
  }
  void ping(std::size_t payload = 64) { (void)a.send(ipv4("10.0.0.1", "10.0.0.2", payload)); }
  std::size_t initiations_to(const Endpoint& to) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        world.sent,
        [&](const Datagram& datagram) { return datagram.type() == 1 && datagram.to == to; }));
  }

  // Peers of a's that nobody is: 10.1.0.0 and on, each at an endpoint of its own.
  void add_unreachable(std::uint32_t count) {
    DeviceChange change;
    for (std::uint32_t i = 0; i < count; ++i) {
      PeerChange& peer = change.peers.emplace_back();
      store_le32(peer.public_key.bytes.data(), i + 1);
      peer.endpoint = endpoint_of(i);
      peer.allowed_ips.push_back({Cidr(*IpAddress::parse(address_of(i)), 32), false});
    }
    a.apply(std::move(change));
  }
  static std::string address_of(std::uint32_t i) {
    return "10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256);
  }
  static Endpoint endpoint_of(std::uint32_t i) {
    return *Endpoint::parse("198.51.100.9:" + std::to_string(1000 + i));
  }
  void fill(std::uint32_t peers, int packets, std::size_t payload = 1380) {
    for (std::uint32_t i = 0; i < peers; ++i) {
      for (int n = 0; n < packets; ++n) (void)a.send(ipv4("10.0.0.1", address_of(i), payload));
    }
  }

  // A batch as a lane plans it; nothing of it is staged yet.
  std::vector<OutboundPacket> plan(const std::vector<Packet>& batch) {
    std::vector<OutboundPacket> packets(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      packets[i].inner = batch[i];
      packets[i].wire_bytes = transport_size(batch[i].size(), a.device->mtu());
    }
    SendPlan plan;
    a.device->plan_send(world.now(), packets, plan, attention);
    return packets;
  }
  void stage(const std::vector<OutboundPacket>& planned) {
    for (const OutboundPacket& packet : planned) {
      ASSERT_EQ(packet.verdict, Verdict::stage);
      a.device->stage(world.now(), packet.place_of(0), packet.inner, 0, attention);
    }
  }
  // What the control side does about what the test's own calls pointed out.
  void attend() {
    Outbox outbox;
    for (const PeerId peer : std::exchange(attention, {})) {
      a.device->attend(world.now(), peer, outbox);
    }
    for (const OutgoingMessage& message : outbox.messages) {
      const Bytes bytes = message.view();
      world.post({a.endpoint, message.to, 0, Packet(bytes.begin(), bytes.end())});
    }
  }
  std::vector<std::size_t> delivered_payloads() const {
    std::vector<std::size_t> payloads;
    for (const Packet& packet : b.delivered) payloads.push_back(packet.size() - 20);
    return payloads;
  }
  // Leaves a's key to b as if it had sent all but `left` of what it may.
  void use_up_counters(std::uint64_t left) {
    const Packet inner = ipv4("10.0.0.1", "10.0.0.2");
    OutboundPacket packet;
    packet.inner = inner;
    SendPlan plan;
    a.device->plan_send(world.now(), {&packet, 1}, plan, attention);
    Keypair& keypair = *plan.runs.at(0).keypair;
    ASSERT_TRUE(keypair.reserve(kRejectAfterMessages - keypair.next_counter() - left));
  }

  World world;
  Host& a = world.host("192.0.2.1:1000");
  Host& b = world.host("[2001:db8::2]:2000");
  Attention attention;
};

// --- bounds ---

TEST_F(StagingOfDevices, P73a_AnIdlePeerBeginsASessionWhateverDeadOnesHold) {
  lose_everything();
  add_unreachable(400);
  fill(400, 128);
  ASSERT_GT(a.drops(Drop::staged_overflow), 0u);
  world.passes = nullptr;
  ping();
  world.settle();
  EXPECT_EQ(b.delivered.size(), 1u);
}

// As many as take the whole bound, and are never quiet.
TEST_F(StagingOfDevices, P73a_SteadyTrafficToDeadPeersKeepsNobodyFromASession) {
  add_unreachable(364);
  fill(364, 128);
  for (int second = 0; second < 120; ++second) {
    fill(364, 2);
    world.run(1s);
  }
  for (int i = 0; i < 5; ++i) ping(1380);
  fill(364, 1);
  world.settle();
  EXPECT_EQ(b.delivered.size(), 5u);
}

TEST_F(StagingOfDevices, P73a_TheBoundOfADeviceIsItsBytesAndAPacketOfEachPeer) {
  lose_everything();
  add_unreachable(600);
  fill(600, 128);
  const std::size_t each = transport_size(1400, a.device->mtu()) + StagedPacket::kOverhead;
  EXPECT_EQ(a.drops(Drop::staged_overflow), 600 * 127 - kMaxStagedBytes / each);
}

TEST_F(StagingOfDevices, P73a_WhoHoldsMostGivesUpAndWhoHoldsLittleKeepsIt) {
  lose_everything();
  add_unreachable(420);
  for (std::size_t i = 0; i < 20; ++i) ping(i);
  fill(420, 128);
  ASSERT_GT(a.drops(Drop::staged_overflow), 0u);
  world.passes = nullptr;
  world.run(6s);
  EXPECT_EQ(b.delivered.size(), 20u);
}

TEST_F(StagingOfDevices, P73a_TheBoundHoldsForPacketsOfAnySize) {
  lose_everything();
  a.device->set_mtu(65535);
  add_unreachable(3600);
  fill(3600, 128, 20);
  for (int i = 0; i < 100; ++i) ping(60'000);
  world.passes = nullptr;
  world.run(6s);
  const std::size_t large = b.delivered.size();
  EXPECT_GE(large, 1u);
  const std::size_t small = 3600 * 128 + 100 - a.drops(Drop::staged_overflow) - large;
  const std::size_t each = transport_size(40, 65535) + StagedPacket::kOverhead;
  EXPECT_LE((small - 3600) * each + (large - 1) * 60'000, kMaxStagedBytes);
}

// --- a handshake is wanted, whatever becomes of the packet ---

TEST_F(StagingOfDevices, P73a_ADeadPeerIsTriedEveryFiveSecondsForAsLongAsThereIsTraffic) {
  lose_everything();
  for (int second = 0; second < 300; ++second) {
    ping();
    world.run(1s);
  }
  EXPECT_GE(initiations_to(b.endpoint), 55u);
  EXPECT_LE(initiations_to(b.endpoint), 60u);
}

TEST_F(StagingOfDevices, P73a_WhatWaitedForLongerThanAllAttemptsIsNotSent) {
  lose_everything();
  for (std::size_t second = 0; second < 300; ++second) {
    if (second % 10 == 0) ping(second);
    world.run(1s);
  }
  world.passes = nullptr;
  world.run(6s);
  ASSERT_FALSE(b.delivered.empty());
  EXPECT_GE(delivered_payloads().front(), 300u - 90u);
  EXPECT_EQ(b.delivered.size() + a.drops(Drop::staged_expired), 30u);
}

// Its attempts never end, since each keepalive asks for the session anew.
TEST_F(StagingOfDevices, P73a_APersistentKeepaliveDoesNotKeepAPacketForEver) {
  a.add_peer(b, "10.0.0.2/32", true, 25);
  world.settle();
  world.run(200s);
  lose_everything();
  a.down();
  a.up();
  ping();
  world.run(89s);
  EXPECT_EQ(a.drops(Drop::staged_expired), 0u);
  world.run(7s);
  EXPECT_EQ(a.drops(Drop::staged_expired), 1u);
}

// Nothing is left to be sent; but the key must be confirmed.
TEST_F(StagingOfDevices, P59_P73a_WhereAllHasExpiredAnEmptyPacketConfirmsTheKey) {
  lose_everything();
  ping();
  world.run(88s);
  world.passes = nullptr;
  world.now_.boot = world.now_.boot + 3s;
  a.work();
  world.run(6s);
  EXPECT_EQ(b.delivered.size(), 0u);
  EXPECT_EQ(b.send(ipv4("10.0.0.2", "10.0.0.1")).verdict, Verdict::send);
}

TEST_F(StagingOfDevices, P73a_ASessionThatIsGoneWhenALaneComesIsAskedForAgain) {
  ping();
  b.receive(world.network.front());
  const Datagram response = world.sent.back();
  ASSERT_EQ(response.type(), 2);
  HandshakeMessage message;
  message.size = ResponseLayout::kSize;
  copy(response.bytes, message.bytes);
  message.from = b.endpoint;
  Outbox outbox;
  a.device->handle(world.now(), message, false, outbox);
  ASSERT_EQ(outbox.flush.size(), 1u);
  a.set_key(99);  // ends sending with the session
  b.add_peer(a, "10.0.0.1/32");
  StagedBatch batch;
  a.device->take_staged(world.now(), outbox.flush.front(), 0, batch, attention);
  EXPECT_TRUE(batch.packets.empty());
  for (const PeerId peer : attention) a.device->attend(world.now(), peer, outbox);
  ASSERT_EQ(outbox.messages.size(), 1u);
  EXPECT_EQ(outbox.messages.front().view().front(), 1);
}

// --- order ---

TEST_F(StagingOfDevices, P44a_ABatchThatTheCountersDoNotCoverWaitsWholeForTheNextKey) {
  ping(1);
  world.settle();
  use_up_counters(2);
  const std::size_t before = initiations_to(b.endpoint);
  stage(plan({ipv4("10.0.0.1", "10.0.0.2", 2), ipv4("10.0.0.1", "10.0.0.2", 3),
              ipv4("10.0.0.1", "10.0.0.2", 4)}));
  attend();
  ping(5);
  world.run(6s);
  EXPECT_EQ(initiations_to(b.endpoint), before + 1);
  EXPECT_EQ(delivered_payloads(), (std::vector<std::size_t>{1, 2, 3, 4, 5}));
}

// A lane has planned a batch; before it stages it, another lane stages what it planned later.
TEST_F(StagingOfDevices, P44a_P77_ABatchGoesBeforeAllThatWasPlannedAfterIt) {
  ping(1);
  world.settle();
  use_up_counters(1);
  const std::vector<Packet> first{ipv4("10.0.0.1", "10.0.0.2", 2), ipv4("10.0.0.1", "10.0.0.2", 3)};
  const std::vector<Packet> second{ipv4("10.0.0.1", "10.0.0.2", 4),
                                   ipv4("10.0.0.1", "10.0.0.2", 5)};
  const std::vector<OutboundPacket> one = plan(first);
  const std::vector<OutboundPacket> other = plan(second);
  stage(other);
  stage(one);
  attend();
  ping(6);
  world.run(6s);
  EXPECT_EQ(delivered_payloads(), (std::vector<std::size_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(StagingOfDevices, P44a_WhatALaneCanNotTakeStaysWhereItIs) {
  ping(1);
  world.settle();
  use_up_counters(1);
  stage(plan({ipv4("10.0.0.1", "10.0.0.2", 2), ipv4("10.0.0.1", "10.0.0.2", 3)}));
  StagedBatch batch;
  a.device->take_staged(world.now(), PeerId{0, 0}, 0, batch, attention);
  EXPECT_TRUE(batch.packets.empty());
  attend();
  ping(4);
  world.run(6s);
  EXPECT_EQ(delivered_payloads(), (std::vector<std::size_t>{1, 2, 3, 4}));
}

// The session comes between two runs of one batch to the same peer.
TEST_F(StagingOfDevices, P77_ARunDoesNotOvertakeOneOfItsOwnBatch) {
  add_unreachable(1);
  ping(1);
  b.receive(world.network.front());
  const Datagram response = world.sent.back();
  ASSERT_EQ(response.type(), 2);
  a.exclusion.unlocked = [&](PeerId peer) {
    if (peer != PeerId{1, 0}) return;
    a.exclusion.unlocked = nullptr;
    a.receive(response);
  };
  const std::vector<Packet> batch{ipv4("10.0.0.1", "10.0.0.2", 2), ipv4("10.0.0.1", address_of(0)),
                                  ipv4("10.0.0.1", "10.0.0.2", 3)};
  const std::vector<OutboundPacket> planned = plan(batch);
  EXPECT_FALSE(a.exclusion.unlocked) << "the session has come";
  EXPECT_EQ(planned[0].verdict, Verdict::stage);
  EXPECT_EQ(planned[2].verdict, Verdict::stage);
}

// --- the end of what waits ---

TEST_F(StagingOfDevices, P73a_WithoutAPrivateKeyNothingWaits) {
  lose_everything();
  ping();
  DeviceChange change;
  change.private_key.emplace();
  a.apply(std::move(change));
  EXPECT_EQ(a.drops(Drop::no_identity), 1u);
  EXPECT_EQ(a.send(ipv4("10.0.0.1", "10.0.0.2")).drop, Drop::no_identity);
  a.set_key(5);
  b.add_peer(a, "10.0.0.1/32");
  world.passes = nullptr;
  ping();
  world.run(6s);
  EXPECT_EQ(b.delivered.size(), 1u) << "what was sent since there is a key again";
}

TEST_F(StagingOfDevices, P59a_P73a_WhatWasPlannedBeforeTheDeviceWentDownIsNotStaged) {
  lose_everything();
  const Packet inner = ipv4("10.0.0.1", "10.0.0.2");
  const std::vector<OutboundPacket> planned = plan({inner});
  a.down();
  a.device->stage(world.now(), planned[0].place_of(0), inner, 0, attention);
  EXPECT_EQ(a.drops(Drop::device_down), 1u);
  a.up();
  world.passes = nullptr;
  world.run(6s);
  EXPECT_EQ(b.delivered.size(), 0u);
}

#ifndef FERRULE_SANITIZED
// What may end the wait of a packet; none of it leaves the packet in memory.
class NothingOfStagedPackets : public StagingOfDevices,
                               public ::testing::WithParamInterface<std::pair<const char*, int>> {
 protected:
  void end_wait(int how) {
    DeviceChange change;
    switch (how) {
      case 0:
        change.private_key.emplace();
        return a.apply(std::move(change));
      case 1:
        return a.down();
      case 2:
        change.replace_peers = true;
        return a.apply(std::move(change));
      case 3:
        return world.run(120s);
      case 4:
        for (int i = 0; i < 130; ++i) ping();
        return;
      default:
        world.passes = nullptr;
        world.run(6s);
        b.delivered.clear();
    }
  }
};

TEST_P(NothingOfStagedPackets, P46_P73a_IsLeftInMemory) {
  if (!ferrule::testing::can_see_own_memory()) GTEST_SKIP();
  lose_everything();
  const std::uint8_t seed = static_cast<std::uint8_t>(31 + GetParam().second);
  const auto make = [seed] {
    Packet packet = ipv4("10.0.0.1", "10.0.0.2", 1000);
    for (std::size_t i = 20; i < packet.size(); ++i) {
      packet[i] = static_cast<std::uint8_t>(seed * 5 + i * 11);
    }
    return packet;
  };
  ferrule::testing::Needle needle([&] {
    Packet packet = make();
    const ferrule::testing::Needle made(Bytes(packet).subspan(500, 16));
    wipe(packet);
    return made;
  }());
  {
    Packet packet = make();
    (void)a.send(packet);
    wipe(packet);
  }
  ASSERT_TRUE(ferrule::testing::in_own_memory(needle));
  end_wait(GetParam().second);
  EXPECT_FALSE(ferrule::testing::in_own_memory(needle));
}

INSTANTIATE_TEST_SUITE_P(EndOfTheWait, NothingOfStagedPackets,
                         ::testing::Values(std::pair("KeyTaken", 0), std::pair("Down", 1),
                                           std::pair("Removed", 2), std::pair("GivenUp", 3),
                                           std::pair("PushedOut", 4)),
                         [](const auto& param) { return std::string(param.param.first); });
#endif

}  // namespace
}  // namespace ferrule::protocol::testing
