// A change of configuration that there is no memory for: refused whole, and the tunnel goes on.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "control/uapi_writer.h"
#include "crypto/x25519.h"
#include "memory/failing_memory.h"
#include "protocol/world_testing.h"

namespace ferrule::memory {
namespace {

using protocol::DeviceChange;
using protocol::PeerChange;
using protocol::testing::Host;
using protocol::testing::World;

PublicKey key_of(std::uint64_t seed) {
  protocol::testing::SeededRng rng(seed);
  return crypto::public_key_of(*crypto::generate_private_key(rng));
}

PeerChange& add(DeviceChange& change, const PublicKey& key) {
  PeerChange& peer = change.peers.emplace_back();
  peer.public_key = key;
  return peer;
}

void allow(PeerChange& peer, std::string_view cidr, bool remove = false) {
  peer.allowed_ips.push_back({*Cidr::parse(cidr), remove});
}

// As `get` shows it, without what time and traffic change.
std::string text_of(const protocol::Device& device) {
  std::string text;
  control::UapiWriter writer([&text](std::string_view piece) { text += piece; });
  writer.device(device.private_key(), 0, 0);
  std::optional<protocol::Device::PeerCursor> cursor;
  (void)device.visit_peers(cursor, SIZE_MAX, [&](const protocol::PeerStatus& peer) {
    protocol::PeerStatus lasting;
    lasting.public_key = peer.public_key;
    lasting.preshared_key = PresharedKey(peer.preshared_key.clone());
    lasting.endpoint = peer.endpoint;
    lasting.persistent_keepalive_s = peer.persistent_keepalive_s;
    lasting.allowed_ips = peer.allowed_ips;
    writer.peer(lasting);
  });
  writer.finish(0);
  return text;
}

// Two hosts with a session, of which `a` also has peers that never spoke.
struct Tunnel {
  Tunnel() {
    world.pair(a, b);
    DeviceChange change;
    for (std::uint64_t seed = 100; seed < 103; ++seed) {
      PeerChange& peer = add(change, key_of(seed));
      allow(peer, "10." + std::to_string(seed) + ".0.0/16");
      allow(peer, "fd00:" + std::to_string(seed) + "::/64");
    }
    a.apply(std::move(change));
    EXPECT_TRUE(carries());
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
    return carries_one_way(a, b, "10.0.0.1", "10.0.0.2") &&
           carries_one_way(b, a, "10.0.0.2", "10.0.0.1");
  }

  World world;
  Host& a = world.host("192.0.2.1:51820");
  Host& b = world.host("192.0.2.2:51820");
};

using MakeChange = std::function<DeviceChange(const Host& other)>;

// An attempt to apply the change. False when memory was enough.
bool attempt(const MakeChange& make, std::size_t number, Failing failing, bool keeps_tunnel) {
  SCOPED_TRACE("allocation " + std::to_string(number) + (failing == Failing::one ? "" : " and on"));
  Tunnel tunnel;
  protocol::Device& device = *tunnel.a.device;
  const std::string before = text_of(device);
  protocol::Outbox outbox;
  DeviceChange change = make(tunnel.b);
  bool felt = false;
  Result<void> fits;
  {
    const Shortage shortage(number, failing);
    fits = device.prepare(change);
    if (fits) device.apply(tunnel.world.now(), std::move(change), outbox);
    felt = shortage.was_felt();
  }
  if (fits) {
    Tunnel twin;
    twin.a.apply(make(twin.b));
    EXPECT_EQ(text_of(device), text_of(*twin.a.device));
  } else {
    EXPECT_EQ(fits.error().code, ENOMEM);
    EXPECT_EQ(text_of(device), before);
    EXPECT_TRUE(tunnel.carries());
    tunnel.a.apply(make(tunnel.b));
  }
  EXPECT_TRUE(!keeps_tunnel || tunnel.carries());
  return felt && !testing::Test::HasFailure();
}

void applied_whole_or_not_at_all(const MakeChange& make, bool keeps_tunnel = true) {
  for_each_shortage([&](std::size_t number, Failing failing) {
    return attempt(make, number, failing, keeps_tunnel);
  });
}

TEST(ConfigurationMemory, P35_APeerIsAddedWholeOrNotAtAll) {
  applied_whole_or_not_at_all([](const Host&) {
    DeviceChange change;
    PeerChange& peer = add(change, key_of(7));
    peer.endpoint = *Endpoint::parse("192.0.2.7:51820");
    peer.preshared_key.emplace();
    peer.preshared_key->mut_bytes()[0] = 7;
    peer.persistent_keepalive_s = 25;
    allow(peer, "10.7.0.0/16");
    allow(peer, "fd00:7::/64");
    return change;
  });
}

TEST(ConfigurationMemory, P35_ManyPeersAreAddedWholeOrNotAtAll) {
  applied_whole_or_not_at_all([](const Host&) {
    DeviceChange change;
    for (std::uint64_t seed = 200; seed < 240; ++seed) {
      PeerChange& peer = add(change, key_of(seed));
      peer.endpoint = *Endpoint::parse("192.0.2.7:51820");
      peer.persistent_keepalive_s = 25;
      for (int i = 0; i < 4; ++i) {
        allow(peer, "10." + std::to_string(seed) + "." + std::to_string(i) + ".0/24");
      }
    }
    return change;
  });
}

TEST(ConfigurationMemory, P35_P90_AllowedIpsMoveWholeOrNotAtAll) {
  applied_whole_or_not_at_all([](const Host& other) {
    DeviceChange change;
    PeerChange& peer = add(change, other.public_key());
    allow(peer, "10.100.0.0/16");      // another peer's
    allow(peer, "10.0.0.2/32", true);  // out,
    allow(peer, "10.0.0.2/32");        // and in again
    allow(peer, "fd00::2/128", true);
    for (int i = 0; i < 40; ++i) allow(peer, "172.16." + std::to_string(i) + ".0/24");
    return change;
  });
}

TEST(ConfigurationMemory, P35_AllowedIpsAreReplacedWholeOrNotAtAll) {
  applied_whole_or_not_at_all([](const Host& other) {
    DeviceChange change;
    PeerChange& peer = add(change, other.public_key());
    peer.replace_allowed_ips = true;
    allow(peer, "fd00:2::/64");
    allow(peer, "10.0.0.2/32");
    allow(peer, "10.101.0.0/16");
    return change;
  });
}

TEST(ConfigurationMemory, P35_PeersAreRemovedAndAddedAgainWholeOrNotAtAll) {
  applied_whole_or_not_at_all([](const Host&) {
    DeviceChange change;
    add(change, key_of(100)).remove = true;
    add(change, key_of(101)).remove = true;
    allow(add(change, key_of(100)), "10.1.0.0/16");
    add(change, key_of(102)).update_only = true;
    add(change, key_of(103)).update_only = true;
    return change;
  });
}

TEST(ConfigurationMemory, P35_AllPeersAreReplacedWholeOrNotAtAll) {
  applied_whole_or_not_at_all([](const Host& other) {
    DeviceChange change;
    change.replace_peers = true;
    PeerChange& peer = add(change, other.public_key());
    peer.endpoint = other.endpoint;
    allow(peer, "10.0.0.2/32");
    for (std::uint64_t seed = 102; seed < 110; ++seed) {
      allow(add(change, key_of(seed)), "10." + std::to_string(seed) + ".0.0/16");
    }
    return change;
  });
}

TEST(ConfigurationMemory, P35_P101_ThePrivateKeyChangesWholeOrNotAtAll) {
  applied_whole_or_not_at_all(
      [](const Host&) {
        protocol::testing::SeededRng rng(9);
        DeviceChange change;
        change.private_key = *crypto::generate_private_key(rng);
        allow(add(change, key_of(7)), "10.7.0.0/16");
        return change;
      },
      false);
}

TEST(ConfigurationMemory, P35_WhatWasPreparedAndNotAppliedIsGivenBack) {
  Tunnel tunnel;
  DeviceChange change;
  for (std::uint64_t seed = 200; seed < 240; ++seed) add(change, key_of(seed));
  protocol::Device& device = *tunnel.a.device;
  ASSERT_TRUE(device.prepare(change));  // tables have grown
  device.unprepare();
  const std::size_t before = live_bytes();
  ASSERT_TRUE(device.prepare(change));
  EXPECT_GT(live_bytes(), before);
  device.unprepare();
  EXPECT_EQ(live_bytes(), before);
}

}  // namespace
}  // namespace ferrule::memory
