// A new private key: peers follow it one by one, and nothing goes wrong in between (P25, P101).
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "crypto/x25519.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

// Two hosts, of which `a` has very many other peers: they come first when its key changes.
class NewIdentity : public ::testing::Test {
 protected:
  NewIdentity() {
    a.set_key(1);
    b.set_key(2);
    DeviceChange change;
    for (std::uint32_t i = 0; i < 5000; ++i) {
      PeerChange& peer = change.peers.emplace_back();
      store_le32(peer.public_key.bytes.data(), i);
      peer.public_key.bytes[31] = 1;
    }
    a.apply(std::move(change));
    a.add_peer(b, "10.0.0.2/32");
    b.add_peer(a, "10.0.0.1/32");
    a.up();
    b.up();
  }

  // Gives `a` another key; after its first turns `meanwhile` happens, once.
  void change_key(std::function<void()> meanwhile) {
    key = *crypto::generate_private_key(rng);
    std::size_t turns = 0;
    bool done = false;
    a.device->yield_to([&] {
      if (++turns < 2 || std::exchange(done, true)) return;
      b_follows();
      meanwhile();
    });
    DeviceChange change;
    change.private_key = PrivateKey(key.clone());
    a.apply(std::move(change));
    a.device->yield_to({});
    EXPECT_TRUE(done);
    EXPECT_GT(turns, 10u);
  }
  // b knows the new key, and no longer the old one.
  void b_follows() {
    DeviceChange change;
    change.replace_peers = true;
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = crypto::public_key_of(key);
    peer.endpoint = a.endpoint;
    peer.allowed_ips.push_back({*Cidr::parse("10.0.0.1/32"), false});
    b.apply(std::move(change));
  }
  bool carries(Host& from, Host& to) {
    const std::size_t before = to.delivered.size();
    (void)(&from == &a ? a.send(ipv4("10.0.0.1", "10.0.0.2"))
                       : b.send(ipv4("10.0.0.2", "10.0.0.1")));
    world.settle();
    return to.delivered.size() > before;
  }

  World world;
  Host& a = world.host("192.0.2.1:51820");
  Host& b = world.host("192.0.2.2:51820");
  SeededRng rng{9};
  PrivateKey key;
};

TEST_F(NewIdentity, P25_P101_AnInitiationThatComesBeforeThePeersTurnIsAnswered) {
  ASSERT_TRUE(carries(b, a));
  world.run(1s);  // or the next initiation would be one of a flood (P28)
  bool carried = false;
  change_key([&] { carried = carries(b, a); });
  EXPECT_TRUE(carried);
  EXPECT_TRUE(carries(a, b));
  EXPECT_TRUE(carries(b, a));
}

TEST_F(NewIdentity, P25_P101_OneOfOursIsMadeWithTheNewKeyBeforeThePeersTurn) {
  bool carried = false;
  change_key([&] { carried = carries(a, b); });
  EXPECT_TRUE(carried);
  EXPECT_TRUE(carries(b, a));
}

// With a session, the peer first learns of the new key when it attends to it.
TEST_F(NewIdentity, P101_ASessionOfTheOldKeyIsReplacedBeforeOrAfterThePeersTurn) {
  ASSERT_TRUE(carries(a, b));
  change_key([&] {});
  EXPECT_TRUE(carries(a, b));
}

TEST_F(NewIdentity, P30_P101_AResponseToTheOldKeyIsRefusedBeforeThePeersTurn) {
  Datagram response;
  world.passes = [&](const Datagram& datagram) {
    if (datagram.type() != 2) return true;
    response = datagram;
    return false;
  };
  EXPECT_FALSE(carries(a, b));
  ASSERT_FALSE(response.bytes.empty());
  world.passes = {};
  std::uint64_t refused = 0;
  change_key([&] {
    a.receive(response);
    a.work();
    refused = a.drops(Drop::bad_mac1) + a.drops(Drop::unknown_handshake);
  });
  EXPECT_EQ(refused, 1u);
  EXPECT_EQ(a.status(b).last_handshake.seconds, 0);
}

TEST_F(NewIdentity, P26_WithoutAKeyNothingIsSentBeforeThePeersTurn) {
  std::size_t turns = 0;
  a.device->yield_to([&] {
    if (++turns == 2) {
      (void)a.send(ipv4("10.0.0.1", "10.0.0.2"));
      a.work();
    }
  });
  DeviceChange change;
  change.private_key = PrivateKey();
  a.apply(std::move(change));
  world.settle();
  EXPECT_GT(turns, 10u);
  EXPECT_EQ(world.count_sent(1, a), 0u);
}

}  // namespace
}  // namespace ferrule::protocol::testing
