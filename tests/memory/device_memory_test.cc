// A device without memory: it drops, it heals, and it keeps nothing of what it gave up.
#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <string>

#include "memory/failing_memory.h"
#include "protocol/world_testing.h"

namespace ferrule::memory {
namespace {

using protocol::Attention;
using protocol::Device;
using protocol::Outbox;
using protocol::OutgoingMessage;
using protocol::testing::Datagram;
using protocol::testing::Host;
using protocol::testing::Packet;
using protocol::testing::World;

// Two hosts that know each other. What a test has `a` do by itself goes through these lists.
struct Tunnel {
  Tunnel() { world.pair(a, b); }

  // A packet of `b`'s makes it send the first message of a handshake; it is not on its way yet.
  protocol::HandshakeMessage next_message(Host& from) {
    (void)from.send(protocol::testing::ipv4("10.0.0.2", "10.0.0.1"));
    return take_message();
  }
  protocol::HandshakeMessage take_message() {
    const Datagram datagram = world.network.front();
    world.network.pop_front();
    protocol::HandshakeMessage message;
    message.size = static_cast<std::uint8_t>(datagram.bytes.size());
    copy(datagram.bytes, message.bytes);
    message.from = datagram.from;
    message.to = {datagram.to.address, 1};
    return message;
  }

  // Sends what the test's own calls left, as an engine would.
  void send_rest() {
    while (!attention.empty()) {
      const Attention raised = std::exchange(attention, {});
      for (const PeerId peer : raised) a.device->attend(world.now(), peer, outbox);
    }
    for (const OutgoingMessage& message : outbox.messages) {
      const Bytes bytes = message.view();
      world.post({a.endpoint, message.to, message.traffic_class, {bytes.begin(), bytes.end()}});
    }
    outbox.messages.clear();
    outbox.flush.clear();  // lost: the next packet makes up for it
  }

  bool carries_one_way(Host& from, Host& to, const char* source, const char* destination) {
    const std::size_t before = to.delivered.size();
    for (int tries = 0; tries < 30 && to.delivered.size() == before; ++tries) {
      (void)from.send(protocol::testing::ipv4(source, destination));
      world.run(1s);
    }
    return to.delivered.size() > before;
  }
  // Within 30 s, both ways.
  bool carries() {
    send_rest();
    return carries_one_way(a, b, "10.0.0.1", "10.0.0.2") &&
           carries_one_way(b, a, "10.0.0.2", "10.0.0.1");
  }

  World world;
  Host& a = world.host("192.0.2.1:51820");
  Host& b = world.host("192.0.2.2:51820");
  Outbox outbox;
  Attention attention;
};

// What happens before, to the point where memory runs out; and what happens then.
struct Scene {
  std::function<void(Tunnel&)> before;
  std::function<void(Tunnel&)> without_memory;
};

// False when memory was enough.
bool attempt(const std::function<Scene()>& make, std::size_t number, Failing failing) {
  SCOPED_TRACE("allocation " + std::to_string(number) + (failing == Failing::one ? "" : " and on"));
  Scene scene = make();
  Tunnel tunnel;
  if (scene.before) scene.before(tunnel);
  bool felt = false;
  {
    const Shortage shortage(number, failing);
    scene.without_memory(tunnel);
    felt = shortage.was_felt();
  }
  EXPECT_TRUE(tunnel.carries());
  return felt && !testing::Test::HasFailure();
}

// What a device holds after it was without memory and down.
std::size_t kept_bytes(const std::function<Scene()>& make, std::size_t number, Failing failing,
                       bool& felt) {
  Scene scene = make();
  Tunnel tunnel;
  if (scene.before) scene.before(tunnel);
  const std::size_t before = live_bytes();
  {
    const Shortage shortage(number, failing);
    scene.without_memory(tunnel);
    felt = shortage.was_felt();
  }
  tunnel.a.device->down();
  tunnel.outbox = {};
  Attention().swap(tunnel.attention);
  return live_bytes() - before;
}

void heals_and_keeps_nothing(const std::function<Scene()>& make) {
  bool felt = false;
  const std::size_t as_ever = kept_bytes(make, SIZE_MAX, Failing::one, felt);
  for_each_shortage([&](std::size_t number, Failing failing) {
    EXPECT_LE(static_cast<std::ptrdiff_t>(kept_bytes(make, number, failing, felt)),
              static_cast<std::ptrdiff_t>(as_ever))
        << "allocation " << number;
    return attempt(make, number, failing);
  });
}

// Counts the allocations of what a test thinks needs some.
std::size_t shortages(const std::function<Scene()>& make) {
  std::size_t count = 0;
  for (bool felt = true; felt; ++count) (void)kept_bytes(make, count, Failing::one, felt);
  return count - 1;
}

void establish(Tunnel& tunnel) { ASSERT_TRUE(tunnel.carries()); }

Scene receive_initiation() {
  auto message = std::make_shared<protocol::HandshakeMessage>();
  return {[message](Tunnel& tunnel) { *message = tunnel.next_message(tunnel.b); },
          [message](Tunnel& tunnel) {
            tunnel.a.device->handle(tunnel.world.now(), *message, false, tunnel.outbox);
          }};
}

TEST(DeviceMemory, P35_AnInitiationIsReceived) {
  EXPECT_GE(shortages(receive_initiation), 2u) << "an index and a keypair";
  heals_and_keeps_nothing(receive_initiation);
}

Scene receive_response() {
  auto message = std::make_shared<protocol::HandshakeMessage>();
  return {[message](Tunnel& tunnel) {
            (void)tunnel.a.send(protocol::testing::ipv4("10.0.0.1", "10.0.0.2"));
            const Datagram initiation = tunnel.world.network.front();
            tunnel.world.network.pop_front();
            tunnel.b.receive(initiation);
            *message = tunnel.take_message();
          },
          [message](Tunnel& tunnel) {
            tunnel.a.device->handle(tunnel.world.now(), *message, false, tunnel.outbox);
          }};
}

TEST(DeviceMemory, P35_AResponseIsReceived) {
  EXPECT_GE(shortages(receive_response), 1u) << "a keypair";
  heals_and_keeps_nothing(receive_response);
}

TEST(DeviceMemory, P30_P35_AResponseThatThereWasNoMemoryForCanComeAgain) {
  Tunnel tunnel;
  (void)tunnel.a.send(protocol::testing::ipv4("10.0.0.1", "10.0.0.2"));
  tunnel.b.receive(tunnel.world.network.front());
  tunnel.world.network.pop_front();
  const protocol::HandshakeMessage response = tunnel.take_message();
  {
    const Shortage shortage(0, Failing::rest);
    tunnel.a.device->handle(tunnel.world.now(), response, false, tunnel.outbox);
  }
  EXPECT_EQ(tunnel.a.drops(protocol::Drop::no_resources), 1u);
  EXPECT_EQ(tunnel.a.status(tunnel.b).rx_bytes, 0u);
  tunnel.a.device->handle(tunnel.world.now(), response, false, tunnel.outbox);
  EXPECT_EQ(tunnel.a.status(tunnel.b).rx_bytes, 92u);
}

Scene many_initiations() {
  auto message = std::make_shared<std::vector<protocol::ReceivedHandshake>>();
  return {[message](Tunnel& tunnel) { message->push_back({tunnel.next_message(tunnel.b), true}); },
          [message](Tunnel& tunnel) {
            tunnel.a.device->handle(tunnel.world.now(), *message, tunnel.outbox);
          }};
}

TEST(DeviceMemory, P35_P82_UnderLoad) { heals_and_keeps_nothing(many_initiations); }

Packet ping() { return protocol::testing::ipv4("10.0.0.1", "10.0.0.2"); }

// A lane's batch of one packet, whatever becomes of it.
void send(Tunnel& tunnel, const Packet& packet) {
  protocol::OutboundPacket outbound;
  outbound.inner = packet;
  outbound.wire_bytes = protocol::transport_size(packet.size(), tunnel.a.device->mtu());
  protocol::SendPlan plan;
  try {
    tunnel.a.device->plan_send(tunnel.world.now(), {&outbound, 1}, plan, tunnel.attention);
  } catch (const std::bad_alloc&) {
    return;
  }
  if (outbound.verdict == protocol::Verdict::stage) {
    tunnel.a.device->stage(tunnel.world.now(), outbound.place_of(0), packet, 0, tunnel.attention);
  }
}

Scene begin_handshake() {
  return {{}, [packet = ping()](Tunnel& tunnel) {
            send(tunnel, packet);
            const Attention raised = std::exchange(tunnel.attention, {});
            for (const PeerId peer : raised) {
              tunnel.a.device->attend(tunnel.world.now(), peer, tunnel.outbox);
            }
          }};
}

void fire_timers(Tunnel& tunnel) {
  protocol::Budget all = protocol::Budget::unlimited();
  (void)tunnel.a.device->catch_up(tunnel.world.now(), all);
  (void)tunnel.a.device->fire_timers(tunnel.world.now(), all, tunnel.outbox);
}

TEST(DeviceMemory, P35_AHandshakeBegins) {
  EXPECT_GE(shortages(begin_handshake), 3u) << "a staged packet and an index";
  heals_and_keeps_nothing(begin_handshake);
}

TEST(DeviceMemory, P35_P73_PacketsAreStaged) {
  heals_and_keeps_nothing([] {
    return Scene{{}, [packet = ping()](Tunnel& tunnel) {
                   for (int i = 0; i < 40; ++i) send(tunnel, packet);
                 }};
  });
}

TEST(DeviceMemory, P35_P73_WhatCouldNotBeStagedHoldsNoRoom) {
  Tunnel tunnel;
  const Packet large = protocol::testing::ipv4("10.0.0.1", "10.0.0.2", 60'000);
  // Far more than may be staged at once. All memory but that for the packets themselves is refused.
  for (int i = 0; i < 3'000; ++i) {
    const Shortage shortage(1, Failing::rest);
    tunnel.a.device->stage(tunnel.world.now(), {PeerId{0, 0}, 0}, large, 0, tunnel.attention);
  }
  EXPECT_EQ(tunnel.a.drops(protocol::Drop::no_resources), 3'000u);
  EXPECT_TRUE(tunnel.carries());
}

Scene send_data() {
  return {establish, [packet = ping()](Tunnel& tunnel) { send(tunnel, packet); }};
}

TEST(DeviceMemory, P35_DataIsSent) { heals_and_keeps_nothing(send_data); }

// A lane that gets the packets that it staged, just as the session has come.
Scene take_staged() {
  return {[](Tunnel& tunnel) {
            tunnel.world.passes = [](const Datagram& datagram) { return datagram.type() != 4; };
            for (int i = 0; i < 20; ++i) send(tunnel, ping());
            tunnel.send_rest();
            tunnel.b.receive(tunnel.world.network.front());
            tunnel.world.network.pop_front();
            const protocol::HandshakeMessage response = tunnel.take_message();
            tunnel.a.device->handle(tunnel.world.now(), response, false, tunnel.outbox);
            tunnel.world.passes = {};
          },
          [](Tunnel& tunnel) {
            protocol::StagedBatch batch;
            try {
              tunnel.a.device->take_staged(tunnel.world.now(), PeerId{0, 0}, 0, batch,
                                           tunnel.attention);
            } catch (const std::bad_alloc&) {
              return;
            }
            EXPECT_EQ(batch.packets.size(), 20u);
          }};
}

TEST(DeviceMemory, P35_P73_StagedPacketsAreTakenOrStay) {
  EXPECT_GE(shortages(take_staged), 1u);
  heals_and_keeps_nothing(take_staged);
}

// The data packet that confirms a responder's key (P42).
Scene receive_data() {
  auto bytes = std::make_shared<Datagram>();
  return {[bytes](Tunnel& tunnel) {
            establish(tunnel);
            tunnel.b.down();
            tunnel.b.up();
            tunnel.world.passes = [bytes](const Datagram& datagram) {
              if (datagram.type() == 4) *bytes = datagram;
              return datagram.type() != 4;
            };
            tunnel.world.run(6s);
            (void)tunnel.b.send(protocol::testing::ipv4("10.0.0.2", "10.0.0.1"));
            tunnel.world.settle();
            tunnel.world.passes = {};
          },
          [bytes](Tunnel& tunnel) {
            protocol::InboundMessage message;
            message.message = bytes->bytes;
            message.from = bytes->from;
            protocol::ReceivePlan plan;
            try {
              tunnel.a.device->plan_receive(tunnel.world.now(), {&message, 1}, plan);
            } catch (const std::bad_alloc&) {
              return;
            }
            message.opened = true;
            EXPECT_TRUE(message.is_planned());
            tunnel.a.device->finish_receive(tunnel.world.now(), plan, {&message, 1},
                                            tunnel.attention);
            EXPECT_EQ(message.drop, protocol::Drop::inner_version) << "accepted, but not decrypted";
          }};
}

TEST(DeviceMemory, P35_P42_DataIsReceived) { heals_and_keeps_nothing(receive_data); }

// Each of a's next deadlines, in turn.
void timers(const std::function<void(Tunnel&)>& before, int deadlines) {
  for (int skipped = 0; skipped < deadlines; ++skipped) {
    SCOPED_TRACE("deadline " + std::to_string(skipped));
    heals_and_keeps_nothing([&] {
      return Scene{[&before, skipped](Tunnel& tunnel) {
                     before(tunnel);
                     for (int i = 0; i <= skipped; ++i) {
                       const auto deadline = tunnel.a.device->next_deadline();
                       if (!deadline) return;
                       if (i > 0) tunnel.a.work();
                       tunnel.world.now_.boot =
                           std::max(tunnel.world.now_.boot, tunnel.a.device->next_deadline()->at);
                     }
                     tunnel.world.network.clear();
                   },
                   fire_timers};
    });
  }
}

TEST(DeviceMemory, P35_P50_AnInitiationIsSentAgain) {
  timers([](Tunnel& tunnel) { (void)tunnel.a.send(ping()); }, 3);
}

TEST(DeviceMemory, P35_P52_P53_P54_TheTimersOfASessionFire) { timers(establish, 3); }

TEST(DeviceMemory, P35_P55_PersistentKeepalivesGoOn) {
  timers(
      [](Tunnel& tunnel) {
        tunnel.a.add_peer(tunnel.b, "10.0.0.2/32", true, 25);
        establish(tunnel);
      },
      4);
}

TEST(DeviceMemory, P35_P59a_ComingUp) {
  heals_and_keeps_nothing([] {
    return Scene{[](Tunnel& tunnel) {
                   tunnel.a.add_peer(tunnel.b, "10.0.0.2/32", true, 25);
                   tunnel.a.down();
                   tunnel.world.run(6s);
                   tunnel.world.network.clear();
                 },
                 [](Tunnel& tunnel) {
                   tunnel.a.device->up();
                   fire_timers(tunnel);
                 }};
  });
}

TEST(DeviceMemory, P35_P59a_GoingDownNeedsNoMemory) {
  Tunnel tunnel;
  establish(tunnel);
  const Shortage shortage(0, Failing::rest);
  tunnel.a.device->down();
  EXPECT_FALSE(shortage.was_felt());
}

TEST(DeviceMemory, P35_P86_TheHandshakeQueueTakesAMessageOrDropsIt) {
  protocol::HandshakeMessage message{};
  message.size = 148;
  const Instant now = Instant::from_ns(1'000'000'000);
  for_each_shortage([&](std::size_t number, Failing failing) {
    auto queue = std::make_unique<protocol::HandshakeQueue>(1);
    std::size_t queued = 0;
    const Shortage shortage(number, failing);
    for (std::uint32_t i = 0; i < 200; ++i) {
      // One source fills its share; the others come from everywhere.
      const std::array<std::uint8_t, 4> address{10, 0, 0,
                                                static_cast<std::uint8_t>(i < 100 ? 0 : i)};
      message.from.address = IpAddress::v4(address);
      if (queue->push(now, message) == protocol::Drop::none) ++queued;
    }
    EXPECT_EQ(queue->size(), queued);
    while (queue->pop(now)) --queued;
    EXPECT_EQ(queued, 0u);
    return shortage.was_felt();
  });
}

}  // namespace
}  // namespace ferrule::memory
