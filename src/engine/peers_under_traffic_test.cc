// Peers come and go while traffic flows to and from another: with the locks of the engine, and threads
// that read as lanes do.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "crypto/x25519.h"
#include "engine/locks.h"
#include "protocol/world_testing.h"

namespace ferrule::engine {
namespace {

using protocol::Device;
using protocol::testing::Packet;

constexpr std::size_t kSender = 0;  // the reading threads
constexpr std::size_t kReceiver = 1;
constexpr std::size_t kControl = 2;
const Endpoint kHome = *Endpoint::parse("192.0.2.1:1");
const Endpoint kAway = *Endpoint::parse("192.0.2.2:1");

std::size_t peers_to_add() {
  const char* wanted = std::getenv("FERRULE_PEERS");  // a million takes its time
  return wanted == nullptr ? 20'000 : std::strtoul(wanted, nullptr, 10);
}

// A key that is nobody's, and an address, by a number.
protocol::PeerChange passer_by(std::size_t number) {
  protocol::PeerChange change;
  store_le64(change.public_key.bytes.data(), number + 1);
  std::array<std::uint8_t, 16> address{0xfd, 1};
  store_be64(&address[8], number);
  change.allowed_ips.push_back({Cidr(IpAddress::v6(address), 128), false});
  return change;
}

class PeersUnderTraffic : public ::testing::Test {
 protected:
  PeersUnderTraffic() {
    introduce(home, home_key, away_key, "10.0.0.2/32");
    introduce(away, away_key, home_key, "10.0.0.1/32");
    away.up();
    home.up();
    protocol::Outbox from_home;
    protocol::Budget all = protocol::Budget::unlimited();
    EXPECT_FALSE(home.catch_up(now, all));
    EXPECT_FALSE(home.fire_timers(now, all, from_home));
    connect(from_home);
  }

  void introduce(Device& device, const PrivateKey& own, const PrivateKey& other,
                 std::string_view allowed_ip) {
    protocol::DeviceChange change;
    change.private_key = PrivateKey(own.clone());
    protocol::PeerChange peer;
    peer.public_key = crypto::public_key_of(other);
    peer.endpoint = &device == &home ? kAway : kHome;
    if (&device == &home) peer.persistent_keepalive_s = 25;  // so that it begins
    peer.allowed_ips.push_back({*Cidr::parse(allowed_ip), false});
    change.peers.push_back(std::move(peer));
    protocol::Outbox outbox;
    ASSERT_TRUE(device.prepare(change));
    device.apply(now, std::move(change), outbox);
  }

  // A handshake from its first message on, and the one that confirms it.
  void connect(const protocol::Outbox& initiation) {
    const protocol::Outbox response = deliver(initiation, away, kHome);
    const protocol::Outbox confirmation = deliver(response, home, kAway);
    ASSERT_EQ(confirmation.messages.size(), 1u);
    const Bytes bytes = confirmation.messages[0].view();
    Packet message(bytes.begin(), bytes.end());
    ASSERT_EQ(receive(away, message, kHome).drop, protocol::Drop::none);
  }
  protocol::Outbox deliver(const protocol::Outbox& from, Device& to, const Endpoint& at) {
    protocol::Outbox answers;
    for (const protocol::OutgoingMessage& out : from.messages) {
      protocol::HandshakeMessage message{out.bytes, out.size, at, {}};
      to.handle(now, message, false, answers);
    }
    return answers;
  }

  protocol::OutboundPacket outbound() const {
    protocol::OutboundPacket packet;
    packet.inner = there;
    packet.wire_bytes = protocol::transport_size(there.size(), 1420);
    return packet;
  }
  // The next message of `from`, whole.
  Packet seal(Device& from, const Packet& inner) {
    protocol::OutboundPacket packet = outbound();
    packet.inner = inner;
    protocol::SendPlan plan;
    protocol::Attention attention;
    from.plan_send(now, {&packet, 1}, plan, attention);
    if (packet.verdict != protocol::Verdict::send) return {};
    const protocol::SendRun& run = plan.runs.front();
    Packet message(packet.wire_bytes);
    protocol::write_transport_header(message.data(), run.keypair->remote_index(),
                                     packet.first_counter);
    copy(inner, MutBytes(message).subspan(protocol::TransportLayout::kHeaderSize));
    const crypto::AeadPacket sealed{message.data() + protocol::TransportLayout::kHeaderSize,
                                    message.size() - protocol::TransportLayout::kOverhead,
                                    &run.keypair->sending_key(), packet.first_counter};
    crypto::best_aead_backend().seal({&sealed, 1});
    return message;
  }
  // `reader` holds the tables of `home` where they are read, as a lane does.
  protocol::InboundMessage receive(Device& at, Packet& bytes, const Endpoint& from) {
    protocol::InboundMessage message;
    message.message = bytes;
    message.from = from;
    protocol::ReceivePlan plan;
    protocol::Attention attention;
    {
      const Locks::TablesShared tables(locks, kReceiver);
      at.plan_receive(now, {&message, 1}, plan);
    }
    if (!message.is_planned()) return message;
    const MutBytes text = message.ciphertext();
    const crypto::AeadPacket packet{text.data(), text.size(),
                                    &plan.keypair_of(message).receiving_key(), message.counter};
    crypto::best_aead_backend().open({&packet, 1}, {&message.opened, 1});
    const Locks::TablesShared tables(locks, kReceiver);
    at.finish_receive(now, plan, {&message, 1}, attention);
    return message;
  }

  void apply(protocol::DeviceChange change) {
    protocol::Outbox outbox;
    ASSERT_TRUE(home.prepare(change));
    home.apply(now, std::move(change), outbox);
  }

  const Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  const Packet there = protocol::testing::ipv4("10.0.0.1", "10.0.0.2");
  const Packet back = protocol::testing::ipv4("10.0.0.2", "10.0.0.1");
  protocol::testing::SeededRng rng{3};
  protocol::testing::SeededRng other_rng{4};
  const PrivateKey home_key = std::move(*crypto::generate_private_key(rng));
  const PrivateKey away_key = std::move(*crypto::generate_private_key(rng));
  protocol::testing::NullLog log;
  Locks locks{kControl + 1};
  protocol::NoExclusion none;
  Device home{rng, crypto::best_aead_backend(), locks, log};
  Device away{other_rng, crypto::best_aead_backend(), none, log};  // one thread's own
};

TEST_F(PeersUnderTraffic, P91_AFlowDoesNotNoticeThatOthersComeAndGo) {
  std::atomic<bool> done = false;
  std::size_t sent = 0;
  std::size_t received = 0;
  std::atomic<std::size_t> refused = 0;
  std::jthread sender([&] {
    for (; !done; ++sent) {
      protocol::OutboundPacket packet = outbound();
      protocol::SendPlan plan;
      protocol::Attention attention;
      const Locks::TablesShared tables(locks, kSender);
      home.plan_send(now, {&packet, 1}, plan, attention);
      if (packet.verdict != protocol::Verdict::send) ++refused;
    }
  });
  std::jthread receiver([&] {
    for (; !done; ++received) {
      Packet message = seal(away, back);
      if (receive(home, message, kAway).inner.size() != back.size()) ++refused;
    }
  });

  constexpr std::size_t kPeersAtOnce = 500;
  const std::size_t count = peers_to_add();
  for (std::size_t first = 0; first < count; first += kPeersAtOnce) {
    protocol::DeviceChange added;
    protocol::DeviceChange removed;
    for (std::size_t i = first; i < first + kPeersAtOnce; ++i) {
      added.peers.push_back(passer_by(i));
      // The ones from a while ago go again; the device holds many at any time.
      if (i >= count / 2) removed.peers.emplace_back(passer_by(i - count / 2)).remove = true;
    }
    apply(std::move(added));
    apply(std::move(removed));
  }
  done = true;
  sender.join();
  receiver.join();
  EXPECT_EQ(refused, 0u);
  EXPECT_GT(sent, 0u);
  EXPECT_GT(received, 0u);
  EXPECT_EQ(home.peer_count(), count / 2 + 1);
}

}  // namespace
}  // namespace ferrule::engine
