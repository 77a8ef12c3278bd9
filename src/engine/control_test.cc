// How much the control side does in one turn, and in which order. Work is counted, not timed.
#include "engine/control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "crypto/x25519.h"
#include "engine/world_testing.h"

namespace ferrule::engine::testing {
namespace {

using protocol::kHandshakesTogether;

constexpr std::size_t kManyPeers = 100'000;
const Endpoint kNowhere = *Endpoint::parse("192.0.2.99:1");
const Endpoint kFriend = *Endpoint::parse("192.0.2.2:51820");

// Remembers what it was to send.
class NotingUdp final : public io::Udp {
 public:
  struct Sent {
    std::uint8_t type;
    Endpoint to;
  };
  Result<std::size_t> receive(std::span<io::ReceivedDatagrams>) override { return 0; }
  std::size_t send(std::span<io::OutgoingDatagrams> batch) override {
    for (const io::OutgoingDatagrams& entry : batch) {
      sent.push_back({entry.parts.front().front(), entry.to});
    }
    return batch.size();
  }
  std::uint16_t port() const noexcept override { return 51820; }
  Result<void> set_route_mark(std::uint32_t) override { return {}; }
  std::uint64_t send_failures() const noexcept override { return 0; }

  [[nodiscard]] std::size_t count(std::uint8_t type) const {
    return static_cast<std::size_t>(std::ranges::count(sent, type, &Sent::type));
  }
  std::vector<Sent> sent;
};

// A gateway without threads: the test is its control thread, its lanes and its clock.
class ControlTurns : public ::testing::Test {
 protected:
  ControlTurns() {
    protocol::DeviceChange change;
    change.private_key = PrivateKey(gateway_key.clone());
    change.peers.emplace_back().public_key = crypto::public_key_of(friend_key);
    apply(device, std::move(change));
    device.up();

    protocol::DeviceChange theirs;
    theirs.private_key = PrivateKey(friend_key.clone());
    protocol::PeerChange& gateway = theirs.peers.emplace_back();
    gateway.public_key = crypto::public_key_of(gateway_key);
    gateway.endpoint = kNowhere;
    gateway.persistent_keepalive_s = 25;  // so that it begins
    apply(other, std::move(theirs));
    other.up();
    turn();
    udp.sent.clear();
  }

  // Peers that will not answer, one /32 each from 10.0.0.0 on.
  void add_peers(std::size_t count, std::uint16_t keepalive_s = 0) {
    protocol::DeviceChange change;
    for (std::uint32_t i = 0; i < count; ++i) {
      protocol::PeerChange& peer = change.peers.emplace_back();
      store_le32(peer.public_key.bytes.data(), i);
      peer.public_key.bytes[31] = 1;
      peer.endpoint = kNowhere;
      peer.persistent_keepalive_s = keepalive_s;
      peer.allowed_ips.push_back({Cidr(address(i), 32), false});
    }
    apply(device, std::move(change));
  }
  static IpAddress address(std::uint32_t number) {
    std::array<std::uint8_t, 4> bytes;
    store_be32(bytes.data(), 0x0A000000u + number);
    return IpAddress::v4(bytes);
  }
  void apply(protocol::Device& to, protocol::DeviceChange change) const {
    protocol::Outbox outbox;
    ASSERT_TRUE(to.prepare(change));
    to.apply(now, std::move(change), outbox);
  }
  // A packet to each of those from number `first` on, as from a lane.
  void sweep(std::uint32_t count, std::uint32_t first = 0) {
    protocol::Attention attention;
    for (std::uint32_t i = first; i < first + count; ++i) {
      Packet packet = packet_to(i);
      protocol::OutboundPacket outbound;
      outbound.inner = packet;
      protocol::SendPlan plan;
      device.plan_send(now, {&outbound, 1}, plan, attention);
      device.stage(now, outbound.place_of(0), packet, 0, attention);
    }
    inbox.post(attention);
  }
  static Packet packet_to(std::uint32_t number) {
    Packet packet(20);
    packet[0] = 0x45;
    packet[3] = 20;
    packet[8] = 64;
    store_be32(packet.data() + 12, 0x0B000001);
    store_be32(packet.data() + 16, 0x0A000000u + number);
    return packet;
  }
  // An initiation of the friend's comes.
  void friend_calls() {
    protocol::Outbox outbox;
    protocol::Budget all = protocol::Budget::unlimited();
    (void)other.catch_up(now, all);
    (void)other.fire_timers(now, all, outbox);
    ASSERT_EQ(outbox.messages.size(), 1u);
    protocol::HandshakeMessage message;
    message.size = outbox.messages[0].size;
    copy(outbox.messages[0].view(), message.bytes);
    message.from = kFriend;
    ASSERT_EQ(intake.post(now.boot, message), protocol::Drop::none);
  }
  // Whether there is more to do at once.
  bool turn() {
    woken = false;
    control.work(now, &udp);
    return woken;
  }

  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  NullLog log;
  test::RepeatableRng rng{1};
  PrivateKey gateway_key = *crypto::generate_private_key(rng);
  PrivateKey friend_key = *crypto::generate_private_key(rng);
  Locks locks{1};
  bool woken = false;
  Inbox inbox{[this] { woken = true; }};
  HandshakeIntake intake{1, [this] { inbox.rouse(); }};
  protocol::Device device{rng, crypto::best_aead_backend(), locks, log};
  protocol::Device other{rng, crypto::best_aead_backend(), locks, log};
  std::vector<PeerId> flushed;
  Control control{device, inbox, intake, [this](std::span<const PeerId> peers) {
                    flushed.insert(flushed.end(), peers.begin(), peers.end());
                  }};
  NotingUdp udp;
};

TEST_F(ControlTurns, AnInboundHandshakeIsAnsweredBeforeTheSecondSliceOfUnansweredPeers) {
  add_peers(kManyPeers);
  sweep(kManyPeers);
  EXPECT_TRUE(turn());
  const std::size_t first_slice = udp.sent.size();
  EXPECT_GT(first_slice, 0u);
  EXPECT_LE(first_slice, kHandshakesTogether);
  friend_calls();
  EXPECT_TRUE(turn());
  EXPECT_EQ(udp.sent.at(first_slice).type, 2);
  EXPECT_EQ(udp.sent.at(first_slice).to, kFriend);
  EXPECT_LE(udp.count(1), 2 * kHandshakesTogether);
}

TEST_F(ControlTurns, P50_AllOfManyPeersGetTheirInitiationTurnByTurn) {
  constexpr std::size_t kPeers = 1000;
  add_peers(kPeers);
  sweep(kPeers);
  std::size_t turns = 1;
  for (; turn(); ++turns) ASSERT_LT(turns, kPeers);
  EXPECT_EQ(udp.count(1), kPeers);
  EXPECT_GE(turns, kPeers / kHandshakesTogether);
}

TEST_F(ControlTurns, ARoundOfRetransmissionsLetsAnInboundHandshakePass) {
  constexpr std::size_t kPeers = 1000;
  add_peers(kPeers);
  sweep(kPeers);
  while (turn()) {
  }
  now.boot = now.boot + 6s;
  udp.sent.clear();
  EXPECT_TRUE(turn());
  const std::size_t first_slice = udp.sent.size();
  EXPECT_LE(first_slice, kHandshakesTogether);
  friend_calls();
  EXPECT_TRUE(turn());
  EXPECT_EQ(udp.sent.at(first_slice).type, 2);
  while (turn()) {
  }
  EXPECT_EQ(udp.count(1), kPeers);
}

TEST_F(ControlTurns, RetransmissionsLeaveHalfOfATurnToWhomLanesName) {
  constexpr std::uint32_t kPeers = 1000;
  add_peers(kPeers + 1);
  sweep(kPeers);
  while (turn()) {
  }
  now.boot = now.boot + 6s;
  udp.sent.clear();
  EXPECT_TRUE(turn());
  const std::size_t without = udp.count(1);
  udp.sent.clear();
  sweep(1, kPeers);
  EXPECT_TRUE(turn());
  EXPECT_EQ(udp.count(1), without + 1);
}

TEST_F(ControlTurns, P59a_ComingUpIsPaced) {
  device.down();
  add_peers(kManyPeers, 25);
  device.up();
  inbox.rouse();
  for (int i = 0; i < 10; ++i) {
    udp.sent.clear();
    EXPECT_TRUE(turn());
    EXPECT_LE(udp.count(1), kHandshakesTogether);
  }
  EXPECT_GT(udp.count(1), 0u);
}

TEST_F(ControlTurns, P59a_EveryPeerWithAnIntervalIsCalledOnceWhenTheInterfaceComesUp) {
  constexpr std::size_t kPeers = 700;
  device.down();
  add_peers(kPeers, 25);
  device.up();
  inbox.rouse();
  while (turn()) {
  }
  EXPECT_EQ(udp.count(1), kPeers);
}

TEST_F(ControlTurns, P59a_APeerThatGoesWhileTheInterfaceComesUpIsNotCalled) {
  device.down();
  add_peers(2000, 25);
  device.up();
  inbox.rouse();
  EXPECT_TRUE(turn());
  device.down();
  protocol::DeviceChange change;
  change.replace_peers = true;
  apply(device, std::move(change));
  device.up();
  udp.sent.clear();
  while (turn()) {
  }
  EXPECT_EQ(udp.count(1), 0u);
}

TEST_F(ControlTurns, P102_AHandshakeIsAnsweredWhileVeryManyPeersAreAddedAndRemoved) {
  std::size_t turns = 0;
  device.yield_to([&] {
    if (turns++ == 3) friend_calls();
    (void)turn();
  });
  add_peers(kManyPeers);
  EXPECT_GT(turns, 100u);
  EXPECT_EQ(udp.count(2), 1u);

  turns = 0;
  now.boot = now.boot + 26s;
  protocol::DeviceChange change;
  change.replace_peers = true;
  change.peers.emplace_back().public_key = crypto::public_key_of(friend_key);
  apply(device, std::move(change));
  EXPECT_GT(turns, 100u);
}

TEST_F(ControlTurns, P59a_TurnsGoOnWhileVeryManyPeersGoDown) {
  add_peers(kManyPeers);
  std::size_t turns = 0;
  device.yield_to([&] { ++turns; });
  device.down();
  EXPECT_GT(turns, 100u);
}

TEST_F(ControlTurns, P75_TurnsGoOnWhileSourcesOfVeryManyPeersAreAskedAbout) {
  add_peers(10'000);
  device.check_sources([](const Endpoint&, const Source&) { return protocol::SourceVerdict{}; });
  std::size_t turns = 1;
  for (; device.checks_sources(); ++turns) {
    woken = false;
    control.work(now, nullptr);
    ASSERT_TRUE(woken || !device.checks_sources());
  }
  EXPECT_GT(turns, 10u);
}

TEST_F(ControlTurns, TheOutboxGivesItsMemoryBackAfterABurst) {
  control.outbox().messages.resize(100'000);
  control.outbox().flush.resize(100'000);
  control.send(nullptr);
  EXPECT_LT(control.outbox().messages.capacity(), 2000u);
  EXPECT_LT(control.outbox().flush.capacity(), 2000u);
}

}  // namespace
}  // namespace ferrule::engine::testing
