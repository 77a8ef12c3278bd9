// Handshakes that are handled together: the same comes of them as of one after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/x25519.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

constexpr std::size_t kClients = 40;  // more than one batch

std::string address(std::size_t client) { return "10.0.1." + std::to_string(client); }

// A hub and its clients. What is sent to the hub is held back, to be handled together or one by one.
class Herd {
 public:
  explicit Herd(std::size_t count = kClients) : hub(world.host("192.0.2.1:51820")) {
    hub.up();
    for (std::size_t i = 0; i < count; ++i) {
      Host& client = world.host("198.51.100." + std::to_string(i) + ":1000");
      client.add_peer(hub, "10.0.0.1/32");
      hub.add_peer(client, address(i) + "/32", false);
      client.up();
      clients.push_back(&client);
    }
    world.passes = [this](const Datagram& datagram) { return !holds(datagram); };
  }

  void ping(std::size_t client) { (void)clients[client]->send(ipv4(address(client), "10.0.0.1")); }
  // Gives the hub everything that was held back, and lets go of what follows.
  void handle(bool together, bool under_load = false) {
    std::vector<ReceivedHandshake> received;
    for (const Datagram& datagram : std::exchange(held, {})) {
      ReceivedHandshake& one = received.emplace_back();
      one.under_load = under_load;
      one.message.size = static_cast<std::uint8_t>(datagram.bytes.size());
      copy(datagram.bytes, one.message.bytes);
      one.message.from = datagram.from;
      one.message.to = {datagram.to.address, 1};
    }
    Outbox outbox;
    if (together) {
      hub.device->handle(world.now(), received, outbox);
    } else {
      for (const ReceivedHandshake& one : received) {
        hub.device->handle(world.now(), {&one, 1}, outbox);
      }
    }
    for (const OutgoingMessage& message : outbox.messages) {
      world.post({hub.endpoint, message.to, message.traffic_class,
                  Packet(message.view().begin(), message.view().end())});
    }
    world.passes = nullptr;
    world.settle();
  }
  // The hub's initiation was answered.
  bool has_session(const Host& client) {
    return hub.status(client).last_handshake == world.now().wall;
  }
  // What a test may compare: everything but random numbers and the order of answers.
  std::string outcome() {
    std::string text;
    for (std::size_t i = 0; i < kDropCount; ++i) {
      text += std::to_string(hub.drops(static_cast<Drop>(i))) + " ";
    }
    std::vector<std::string> sent;
    for (const Datagram& datagram : world.sent) {
      if (datagram.from == hub.endpoint) {
        sent.push_back(std::to_string(datagram.type()) + " " + datagram.to.to_string());
      }
    }
    std::ranges::sort(sent);
    for (const std::string& one : sent) text += "\n" + one;
    for (Host* client : clients) {
      const PeerStatus status = hub.status(*client);
      text += "\n" + status.endpoint.to_string() + " rx " + std::to_string(status.rx_bytes) +
              " tx " + std::to_string(status.tx_bytes) + " at " +
              std::to_string(status.last_handshake.seconds);
    }
    text += "\ndelivered " + std::to_string(hub.delivered.size());
    return text;
  }

  World world;
  Host& hub;
  std::vector<Host*> clients;
  std::vector<Datagram> held;

 private:
  static constexpr auto kDropCount = static_cast<std::size_t>(Drop::count_);
  bool holds(const Datagram& datagram) {
    if (datagram.to != hub.endpoint) return false;
    held.push_back(datagram);
    return true;
  }
};

// Does the same to two herds, one handled together and one one by one.
template <class What>
void expect_same_outcome(What what, bool under_load = false) {
  std::string outcomes[2];
  for (const bool together : {false, true}) {
    Herd herd;
    what(herd);
    herd.handle(together, under_load);
    outcomes[together ? 1 : 0] = herd.outcome();
  }
  EXPECT_EQ(outcomes[1], outcomes[0]);
}

TEST(HandshakesTogether, P22_EveryClientOfAHerdGetsASession) {
  Herd herd;
  for (std::size_t i = 0; i < kClients; ++i) herd.ping(i);
  herd.handle(true);
  EXPECT_EQ(herd.world.count_sent(2, herd.hub), kClients);
  EXPECT_EQ(herd.hub.delivered.size(), kClients);
}

TEST(HandshakesTogether, P22_SameOutcomeForAHerd) {
  expect_same_outcome([](Herd& herd) {
    for (std::size_t i = 0; i < kClients; ++i) herd.ping(i);
  });
}

TEST(HandshakesTogether, P24_EveryResponseHasAnEphemeralOfItsOwn) {
  Herd herd;
  for (std::size_t i = 0; i < kClients; ++i) herd.ping(i);
  herd.handle(true);
  std::vector<PublicKey> keys;
  for (const Datagram& datagram : herd.world.sent) {
    if (datagram.type() == 2) keys.push_back(received_ephemeral(datagram.bytes));
  }
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
  EXPECT_EQ(keys.size(), kClients);
}

TEST(HandshakesTogether, P27_TheSameInitiationTwiceIsAnsweredOnce) {
  const auto twice = [](Herd& herd) {
    herd.ping(3);
    herd.ping(4);
    herd.held.push_back(herd.held.front());
  };
  Herd herd;
  twice(herd);
  herd.handle(true);
  EXPECT_EQ(herd.world.count_sent(2, herd.hub), 2u);
  EXPECT_EQ(herd.hub.drops(Drop::replayed_initiation), 1u);
  expect_same_outcome(twice);
}

TEST(HandshakesTogether, P28_ASecondInitiationOfOnePeerIsDropped) {
  const auto both = [](Herd& herd) {
    herd.ping(3);
    herd.world.now_.boot = herd.world.now_.boot + 6s;
    herd.world.now_.wall.seconds += 6;
    herd.clients[3]->work();  // sends again
  };
  Herd herd;
  both(herd);
  ASSERT_EQ(herd.held.size(), 2u);
  herd.handle(true);
  EXPECT_EQ(herd.hub.drops(Drop::initiation_flood), 1u);
  EXPECT_EQ(herd.world.count_sent(2, herd.hub), 1u);
  expect_same_outcome(both);
}

TEST(HandshakesTogether, P26_StrangersBetweenThemChangeNothing) {
  expect_same_outcome([](Herd& herd) {
    Host& stranger = herd.world.host("192.0.2.66:6");
    stranger.add_peer(herd.hub, "10.0.0.1/32");
    stranger.up();
    herd.ping(1);
    (void)stranger.send(ipv4("10.0.0.66", "10.0.0.1"));
    herd.ping(2);
  });
}

TEST(HandshakesTogether, P1_AnEphemeralOfLowOrderSpoilsNoOther) {
  Herd herd;
  herd.ping(1);
  herd.ping(2);
  herd.ping(3);
  auto& forged = herd.held[1].bytes;
  std::fill_n(forged.begin() + InitiationLayout::kEphemeral, kKeySize, std::uint8_t{0});
  CookieHolder(herd.hub.public_key()).add_macs(herd.world.now().boot, forged);
  herd.handle(true);
  EXPECT_EQ(herd.hub.drops(Drop::bad_handshake), 1u);
  EXPECT_EQ(herd.world.count_sent(2, herd.hub), 2u);
}

TEST(HandshakesTogether, P82_UnderLoadEachGetsACookieReply) {
  const auto all = [](Herd& herd) {
    for (std::size_t i = 0; i < kClients; ++i) herd.ping(i);
  };
  Herd herd;
  all(herd);
  herd.handle(true, true);
  EXPECT_EQ(herd.world.count_sent(3, herd.hub), kClients);
  EXPECT_EQ(herd.world.count_sent(2, herd.hub), 0u);
  expect_same_outcome(all, true);
}

TEST(HandshakesTogether, P35_WithoutRandomnessNoneIsAnswered) {
  Herd herd;
  herd.ping(1);
  herd.ping(2);
  herd.hub.rng.fails = true;
  herd.handle(true);
  EXPECT_EQ(herd.hub.drops(Drop::no_resources), 2u);
  EXPECT_EQ(herd.world.count_sent(2, herd.hub), 0u);
}

// The hub has initiations of its own on the way to all of them.
class HubsOwn : public ::testing::Test {
 protected:
  static void cross(Herd& herd, std::size_t clients) {
    herd.world.passes = nullptr;
    for (std::size_t i = 0; i < clients; ++i) {
      DeviceChange change;
      change.peers.emplace_back();
      change.peers[0].public_key = herd.clients[i]->public_key();
      change.peers[0].endpoint = herd.clients[i]->endpoint;
      herd.hub.apply(std::move(change));
      (void)herd.hub.send(ipv4("10.0.0.1", address(i)));
    }
    herd.world.passes = [&herd](const Datagram& datagram) {
      if (datagram.to == herd.hub.endpoint) herd.held.push_back(datagram);
      return datagram.to != herd.hub.endpoint;
    };
    herd.world.settle();  // they respond
  }
};

TEST_F(HubsOwn, P30_EveryResponseOfAHerdIsConsumed) {
  Herd herd;
  cross(herd, kClients);
  ASSERT_EQ(herd.held.size(), kClients);
  herd.handle(true);
  for (Host* client : herd.clients) EXPECT_TRUE(herd.has_session(*client));
}

TEST_F(HubsOwn, P30_TheSameResponseTwiceIsConsumedOnce) {
  const auto twice = [](Herd& herd) {
    cross(herd, 3);
    herd.held.push_back(herd.held.front());
  };
  Herd herd;
  twice(herd);
  herd.handle(true);
  EXPECT_EQ(herd.hub.drops(Drop::unknown_handshake), 1u);
  expect_same_outcome(twice);
}

TEST_F(HubsOwn, P30_AForgedResponseDoesNotCancelTheRightOneBehindIt) {
  Herd herd;
  cross(herd, 1);
  Datagram forged = herd.held.front();
  forged.bytes[ResponseLayout::kNothing] ^= 1;
  CookieHolder(herd.hub.public_key()).add_macs(herd.world.now().boot, forged.bytes);
  herd.held.insert(herd.held.begin(), forged);
  herd.handle(true);
  EXPECT_EQ(herd.hub.drops(Drop::bad_handshake), 1u);
  EXPECT_TRUE(herd.has_session(*herd.clients[0]));
}

TEST_F(HubsOwn, P34_AnInitiationBeforeTheResponseLeavesItGood) {
  const auto both = [](Herd& herd) {
    cross(herd, 2);
    Host twin(herd.world, herd.clients[0]->endpoint.to_string(), 77);  // the client, restarted
    DeviceChange change;
    change.private_key = PrivateKey(herd.clients[0]->key->clone());
    twin.apply(std::move(change));
    twin.add_peer(herd.hub, "10.0.0.1/32");
    twin.up();
    (void)twin.send(ipv4(address(0), "10.0.0.1"));
    std::ranges::rotate(herd.held, herd.held.end() - 1);  // its initiation first
  };
  Herd herd;
  both(herd);
  ASSERT_EQ(herd.held.front().type(), 1);
  herd.handle(true);
  EXPECT_EQ(herd.hub.drops(Drop::unknown_handshake), 0u);
  EXPECT_EQ(herd.world.count_sent(2, herd.hub), 1u);
  EXPECT_TRUE(herd.has_session(*herd.clients[0]));
  expect_same_outcome(both);
}

TEST(InitiationsTogether, P33_EveryInitiationHasAnEphemeralAndAnIndexOfItsOwn) {
  Herd herd;
  DeviceChange change;
  for (Host* client : herd.clients) {
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = client->public_key();
    peer.endpoint = client->endpoint;
    peer.persistent_keepalive_s = 25;
  }
  herd.hub.apply(std::move(change));
  std::vector<PublicKey> keys;
  std::vector<std::uint32_t> indices;
  for (const Datagram& datagram : herd.world.sent) {
    keys.push_back(received_ephemeral(datagram.bytes));
    indices.push_back(load_le32(datagram.bytes.data() + InitiationLayout::kSender));
  }
  EXPECT_EQ(keys.size(), kClients);
  std::ranges::sort(keys);
  std::ranges::sort(indices);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
  EXPECT_EQ(std::ranges::adjacent_find(indices), indices.end());
}

TEST(InitiationsTogether, P20_EveryClientOfAHerdAnswers) {
  Herd herd;
  herd.world.passes = nullptr;
  DeviceChange change;
  for (Host* client : herd.clients) {
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = client->public_key();
    peer.endpoint = client->endpoint;
    peer.persistent_keepalive_s = 25;
  }
  herd.hub.apply(std::move(change));
  herd.world.settle();
  for (Host* client : herd.clients) {
    EXPECT_EQ(client->status(herd.hub).last_handshake, herd.world.now().wall);
  }
}

TEST(InitiationsTogether, P26_APeerRemovedByTheSameChangeGetsNone) {
  Herd herd(2);
  DeviceChange change;
  for (const bool remove : {false, true}) {
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = herd.clients[0]->public_key();
    peer.endpoint = herd.clients[0]->endpoint;
    peer.persistent_keepalive_s = 25;
    peer.remove = remove;
  }
  herd.hub.apply(std::move(change));
  EXPECT_EQ(herd.world.count_sent(1, herd.hub), 0u);
}

TEST(InitiationsTogether, P35_WithoutRandomnessNoneIsSentAndAllAreTriedAgain) {
  Herd herd(3);
  herd.hub.rng.fails = true;
  DeviceChange change;
  for (Host* client : herd.clients) {
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = client->public_key();
    peer.endpoint = client->endpoint;
    peer.persistent_keepalive_s = 25;
  }
  herd.hub.apply(std::move(change));
  EXPECT_EQ(herd.world.count_sent(1, herd.hub), 0u);
  EXPECT_EQ(herd.hub.drops(Drop::no_resources), 3u);
  herd.hub.rng.fails = false;
  herd.world.run(6s);
  EXPECT_EQ(herd.world.count_sent(1, herd.hub), 3u);
}

}  // namespace
}  // namespace ferrule::protocol::testing
