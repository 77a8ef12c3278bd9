// How often handshakes hold the tables exclusively, which every lane waits for, and what happens then.
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "crypto/aead.h"
#include "crypto/x25519.h"
#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

constexpr Now kNow{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
const Endpoint kThere = *Endpoint::parse("192.0.2.1:51820");

class WatchedExclusion final : public Exclusion {
 public:
  void lock_tables() noexcept override {
    ++holds;
    held = true;
  }
  void unlock_tables() noexcept override { held = false; }
  void lock_peer(PeerId) noexcept override {}
  void unlock_peer(PeerId) noexcept override {}
  void lock_staging() noexcept override {}
  void unlock_staging() noexcept override {}

  std::size_t holds = 0;
  bool held = false;
};

class WatchedRng final : public Rng {
 public:
  explicit WatchedRng(const WatchedExclusion& exclusion) : exclusion_(exclusion) {}
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    if (exclusion_.held) ++drawn_while_held;
    return inner_.fill(out);
  }
  std::size_t drawn_while_held = 0;

 private:
  const WatchedExclusion& exclusion_;
  SeededRng inner_{1};
};

// A gateway and a slice's worth of peers, each a device of its own.
class TableHolds : public ::testing::Test {
 protected:
  TableHolds() {
    DeviceChange ours;
    ours.private_key = PrivateKey(key.clone());
    for (std::size_t i = 0; i < kHandshakesTogether; ++i) {
      const PrivateKey theirs = *crypto::generate_private_key(rng);
      DeviceChange change;
      change.private_key = PrivateKey(theirs.clone());
      PeerChange& gateway_change = change.peers.emplace_back();
      gateway_change.public_key = crypto::public_key_of(key);
      gateway_change.endpoint = kThere;
      gateway_change.persistent_keepalive_s = 25;  // so that they begin, when they may
      peers.push_back(std::make_unique<Device>(rng, crypto::best_aead_backend(), nobody, log));
      apply(*peers.back(), std::move(change));
      PeerChange& peer = ours.peers.emplace_back();
      peer.public_key = crypto::public_key_of(theirs);
      peer.endpoint = kThere;
    }
    apply(gateway, std::move(ours));
    gateway.up();
  }
  void apply(Device& device, DeviceChange change) {
    ASSERT_TRUE(device.prepare(change));
    device.apply(kNow, std::move(change), outbox);
  }
  static std::vector<OutgoingMessage> begin(Device& device) {
    Outbox begun;
    Budget all = Budget::unlimited();
    (void)device.catch_up(kNow, all);
    (void)device.fire_timers(kNow, all, begun);
    return begun.messages;
  }
  static ReceivedHandshake received(const OutgoingMessage& sent) {
    ReceivedHandshake one;
    one.message.size = sent.size;
    copy(sent.view(), one.message.bytes);
    one.message.from = kThere;
    return one;
  }
  std::size_t take_holds() { return std::exchange(exclusion.holds, 0); }

  WatchedExclusion exclusion;
  WatchedRng rng{exclusion};
  NoExclusion nobody;
  NullLog log;
  PrivateKey key = *crypto::generate_private_key(rng);
  Device gateway{rng, crypto::best_aead_backend(), exclusion, log};
  std::vector<std::unique_ptr<Device>> peers;
  Outbox outbox;
};

TEST_F(TableHolds, ASliceOfInitiationsIsAnsweredUnderOneHold) {
  std::vector<ReceivedHandshake> slice;
  for (const auto& peer : peers) {
    peer->up();
    slice.push_back(received(begin(*peer).at(0)));
  }
  (void)take_holds();
  gateway.handle(kNow, slice, outbox);
  EXPECT_EQ(outbox.messages.size(), kHandshakesTogether);
  EXPECT_LE(take_holds(), 1u);
  EXPECT_EQ(rng.drawn_while_held, 0u);
}

TEST_F(TableHolds, ASliceOfOurOwnBeginsAndEndsUnderOneHoldEach) {
  DeviceChange call;
  std::optional<Device::PeerCursor> cursor;
  (void)gateway.visit_peers(cursor, SIZE_MAX, [&](const PeerStatus& peer) {
    PeerChange& change = call.peers.emplace_back();
    change.public_key = peer.public_key;
    change.persistent_keepalive_s = 25;
  });
  apply(gateway, std::move(call));
  (void)take_holds();
  const std::vector<OutgoingMessage> initiations = begin(gateway);
  EXPECT_EQ(initiations.size(), kHandshakesTogether);
  EXPECT_LE(take_holds(), 1u);
  std::vector<ReceivedHandshake> slice;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    Outbox answer;
    peers[i]->up();
    for (const OutgoingMessage& initiation : initiations) {
      peers[i]->handle(kNow, received(initiation).message, false, answer);
    }
    for (const OutgoingMessage& response : answer.messages) slice.push_back(received(response));
  }
  ASSERT_EQ(slice.size(), kHandshakesTogether);
  gateway.handle(kNow, slice, outbox);
  EXPECT_LE(take_holds(), 1u);
  EXPECT_EQ(outbox.messages.size(), kHandshakesTogether) << "the keepalives that confirm";
  EXPECT_EQ(rng.drawn_while_held, 0u);
}

}  // namespace
}  // namespace ferrule::protocol::testing
