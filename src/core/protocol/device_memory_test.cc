// A device that takes up what the one before it knew (P27, P29).
#include <gtest/gtest.h>

#include "protocol/noise.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

Timestamp hours_after(const WallTime& wall, int hours) {
  return make_timestamp({wall.seconds + hours * 3600, wall.nanoseconds});
}

// b is a hub that is not told where a is; it restarts.
class Remembering : public ::testing::Test {
 protected:
  Remembering() {
    a.add_peer(b, "10.0.0.2/32");
    b.add_peer(a, "10.0.0.1/32", false);
    a.up();
    b.up();
  }
  void ping() {
    (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
    world.settle();
  }
  [[nodiscard]] DeviceMemory memory() {
    DeviceMemory memory;
    memory.identity = b.device->memory_identity().value();
    Device::MemoryCursor cursor;
    while (b.device->visit_memory(world.now(), cursor, 1,
                                  [&](const PeerMemory& peer) { memory.peers.push_back(peer); })) {
    }
    return memory;
  }
  void stop() {
    b.device = std::make_unique<Device>(b.rng, crypto::best_aead_backend(), b.exclusion, b.log);
  }
  void give_key(bool another = false) {
    DeviceChange change;
    change.private_key = PrivateKey(b.key->clone());
    if (another) change.private_key->mut_bytes()[5] ^= 1;
    b.apply(std::move(change));
  }
  void restart(DeviceMemory remembered) {
    stop();
    b.device->remember(std::move(remembered));
    give_key();
    b.add_peer(a, "10.0.0.1/32", false);
    b.up();
  }
  Datagram last(std::uint8_t type) {
    for (auto it = world.sent.rbegin(); it != world.sent.rend(); ++it) {
      if (it->type() == type) return *it;
    }
    return {};
  }
  World world;
  Host& a = world.host("192.0.2.1:1000");
  Host& b = world.host("192.0.2.2:2000");
};

TEST_F(Remembering, P27_AReplayFromBeforeIsRefused) {
  ping();
  const Datagram initiation = last(1);
  restart(memory());
  b.receive(initiation);
  EXPECT_EQ(b.drops(Drop::replayed_initiation), 1u);
  restart({});
  b.receive(initiation);
  EXPECT_EQ(b.drops(Drop::replayed_initiation), 0u);
}

TEST_F(Remembering, P74_TheEndpointIsWhereThePeerWas) {
  ping();
  restart(memory());
  EXPECT_EQ(b.status(a).endpoint, a.endpoint);
}

TEST_F(Remembering, P101_AConfiguredEndpointIsTheLastWord) {
  ping();
  DeviceMemory before = memory();
  stop();
  b.device->remember(std::move(before));
  give_key();
  PeerChange change;
  change.public_key = a.public_key();
  change.endpoint = Endpoint::parse("192.0.2.9:9");
  DeviceChange all;
  all.peers.push_back(std::move(change));
  b.apply(std::move(all));
  EXPECT_EQ(b.status(a).endpoint, Endpoint::parse("192.0.2.9:9"));
}

TEST_F(Remembering, P78_ByteCountsGoOn) {
  ping();
  const PeerStatus before = b.status(a);
  restart(memory());
  EXPECT_EQ(b.status(a).rx_bytes, before.rx_bytes);
  EXPECT_EQ(b.status(a).tx_bytes, before.tx_bytes + InitiationLayout::kSize);  // to reach a anew
}

TEST_F(Remembering, APeerThatHadASessionIsReachedAtOnce) {
  ping();
  restart(memory());
  world.run(1ms);
  EXPECT_EQ(world.count_sent(1, b), 1u);
  ping();
  EXPECT_EQ(b.delivered.size(), 2u);
}

TEST_F(Remembering, APeerWithoutASessionIsLeftInPeace) {
  ping();
  world.run(181s);
  restart(memory());
  const std::size_t before = world.count_sent(1, b);
  world.run(10s);
  EXPECT_EQ(world.count_sent(1, b), before);
}

TEST_F(Remembering, P29_StampsGoOnThoughTheWallClockWentBack) {
  ping();
  restart(memory());
  world.run(10s);
  ASSERT_EQ(world.count_sent(1, b), 1u);
  world.now_.wall.seconds -= 36'000;
  restart(memory());
  world.run(10s);
  EXPECT_EQ(world.count_sent(1, b), 2u);
  EXPECT_EQ(a.drops(Drop::replayed_initiation), 0u);
}

TEST_F(Remembering, P29_StampsOfWhatWasNotKeptYetAreReserved) {
  ping();
  DeviceMemory early = memory();
  early.reserved = hours_after(world.now().wall, 1);
  restart(early);
  world.run(10s);  // b initiates, and nothing is kept of it but what was reserved before that
  ASSERT_EQ(world.count_sent(1, b), 1u);
  early.reserved = hours_after(world.now().wall, 2);
  world.now_.wall.seconds -= 36'000;
  restart(early);
  world.run(10s);
  EXPECT_EQ(world.count_sent(1, b), 2u);
  EXPECT_EQ(a.drops(Drop::replayed_initiation), 0u);
}

TEST_F(Remembering, P29_NoStampOfTheClockIsBeyondWhatIsReserved) {
  ping();
  DeviceMemory before = memory();
  stop();
  b.device->remember(std::move(before));
  b.device->reserve_stamps(hours_after(world.now().wall, 1));
  world.now_.wall.seconds += 36'000;
  give_key();
  b.add_peer(a, "10.0.0.1/32", false);
  b.up();
  world.run(1ms);
  const DeviceMemory after = memory();
  ASSERT_EQ(after.peers.size(), 1u);
  EXPECT_EQ(after.peers[0].sent, hours_after(world.now().wall, -9));
}

TEST_F(Remembering, AnotherKeysMemoryIsNotTaken) {
  ping();
  DeviceMemory before = memory();
  stop();
  b.device->remember(std::move(before));
  give_key(true);
  b.add_peer(a, "10.0.0.1/32", false);
  EXPECT_TRUE(b.device->remembers_another());
  EXPECT_TRUE(b.status(a).endpoint.is_none());
  EXPECT_TRUE(memory().peers.empty());
}

TEST_F(Remembering, PeersMayBeAddedBeforeTheKey) {
  ping();
  DeviceMemory before = memory();
  stop();
  b.device->remember(std::move(before));
  b.add_peer(a, "10.0.0.1/32", false);
  EXPECT_TRUE(b.status(a).endpoint.is_none());
  give_key();
  EXPECT_EQ(b.status(a).endpoint, a.endpoint);
}

TEST_F(Remembering, WhoIsNotAddedYetIsRememberedOn) {
  ping();
  DeviceMemory before = memory();
  stop();
  b.device->remember(before);
  give_key();
  EXPECT_EQ(memory().peers, before.peers);
  b.add_peer(a, "10.0.0.1/32", false);
  EXPECT_EQ(memory().peers.size(), 1u);
}

}  // namespace
}  // namespace ferrule::protocol::testing
