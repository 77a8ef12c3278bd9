// What a device remembers of the one before it: stamps, endpoints, byte counts (P27, P29).
#include <algorithm>
#include <utility>

#include "crypto/blake2s.h"
#include "protocol/device.h"

namespace ferrule::protocol {

namespace {

// A stamp that is kept is the last one when it was kept: smallest steps may have followed (P29).
constexpr std::uint32_t kUnkeptSeconds = 10;

constexpr auto kByKey = [](const PeerMemory& memory, const PublicKey& key) {
  return memory.public_key < key;
};

}  // namespace

void Device::remember(DeviceMemory memory) {
  memory_identity_ = memory.identity;
  remembered_floor_ = memory.reserved;
  remembered_ = std::move(memory.peers);
  std::ranges::sort(remembered_, {}, &PeerMemory::public_key);
  const auto doubled = std::ranges::unique(remembered_, {}, &PeerMemory::public_key);
  for (auto gone = doubled.size(); gone > 0; --gone) remembered_.pop_back();
  unclaimed_ = remembered_.size();
}

std::optional<DeviceMemory::Identity> Device::memory_identity() const noexcept {
  if (identity_.private_key.is_zero()) return std::nullopt;
  return crypto::hash({identity_.public_key.bytes});
}

// The first private key tells. Peers that were added before it take their own up as they follow it.
void Device::know_whose_memory() {
  if (!memory_identity_) return;
  memory_is_foreign_ = memory_identity_ != memory_identity();
  memory_identity_.reset();
  if (memory_is_foreign_) {
    unclaimed_ = 0;
    return;
  }
  stamp_floor_ = remembered_floor_;
}

void Device::claim_memory(Peer& peer) noexcept {
  if (memory_identity_ || unclaimed_ == 0) return;
  const auto found =
      std::lower_bound(remembered_.begin(), remembered_.end(), peer.public_key, kByKey);
  if (found == remembered_.end() || found->public_key != peer.public_key || found->seen_s < 0)
    return;
  PeerHandshake& handshake = peer.handshake;
  handshake.greatest_received = found->received;
  if (found->sent) handshake.last_sent = timestamp_after(*found->sent, kUnkeptSeconds);
  handshake.revive = found->had_session;
  {
    PeerGuard guard(exclusion_, peer.id);
    if (peer.traffic.endpoint.is_none()) peer.traffic.endpoint = found->endpoint;
    peer.traffic.tx_bytes += found->tx_bytes;
    peer.traffic.rx_bytes += found->rx_bytes;
  }
  found->seen_s = -1;
  --unclaimed_;
}

bool Device::forget_claimed(Budget& budget) noexcept {
  if (unclaimed_ != 0 || remembered_.empty()) return false;
  for (; !remembered_.empty() && !budget.is_spent(); budget.spend(1)) remembered_.pop_back();
  if (remembered_.empty()) remembered_ = {};
  return !remembered_.empty();
}

// The peer may not know yet that its session is gone, and only sends: nobody but us can tell it at once.
void Device::revive(const Now& now, Peer& peer) noexcept {
  peer.handshake.revive = false;
  const Instant at = std::max(now.boot, next_revival_);
  next_revival_ = at + kRevivalPace;
  {
    PeerGuard guard(exclusion_, peer.id);
    Timers& timers = peer.traffic.timers;
    if (timers.initiation() != Initiation::idle) return;
    timers.want_handshake();
    (void)timers.take_wanted();
    timers.handshake_deferred(at);
  }
  reschedule(peer);
}

Timestamp Device::next_stamp(const Now& now, const Peer& peer) const noexcept {
  Timestamp stamp = make_timestamp(now.wall);
  if (stamp_limit_) stamp = std::min(stamp, *stamp_limit_);
  // P60: the wall clock went backwards, here or across a restart.
  for (const std::optional<Timestamp>& sent : {stamp_floor_, peer.handshake.last_sent}) {
    if (sent && stamp <= *sent) stamp = next_timestamp(*sent);
  }
  return stamp;
}

std::optional<PeerMemory> Device::memory_of(const Now& now, const Peer& peer) const {
  const PeerHandshake& handshake = peer.handshake;
  if (!handshake.greatest_received && !handshake.last_sent) return std::nullopt;
  PeerMemory memory;
  memory.public_key = peer.public_key;
  memory.received = handshake.greatest_received;
  memory.sent = handshake.last_sent;
  memory.seen_s = std::max<std::int64_t>(now.wall.seconds, 0);
  PeerGuard guard(exclusion_, peer.id);
  const PeerTraffic& traffic = peer.traffic;
  const auto lives = [&](const KeypairRef& keypair) {
    return keypair && !keypair->expired(now.boot);
  };
  memory.endpoint = traffic.endpoint;
  memory.tx_bytes = traffic.tx_bytes;
  memory.rx_bytes = traffic.rx_bytes;
  memory.had_session =
      handshake.revive || lives(traffic.keypairs.current()) || lives(traffic.keypairs.next());
  return memory;
}

bool Device::visit_memory(const Now& now, MemoryCursor& cursor, std::size_t count,
                          const std::function<void(const PeerMemory&)>& visit) const {
  if (!cursor.peers_done) {
    cursor.peers_done = !walk_peers(cursor.peer, count, [&](const Peer& peer) {
      if (const auto memory = memory_of(now, peer)) visit(*memory);
    });
    return !cursor.peers_done || !remembered_.empty();
  }
  if (unclaimed_ == 0) return false;
  for (; cursor.unclaimed < remembered_.size() && count > 0; ++cursor.unclaimed, --count) {
    const PeerMemory& memory = remembered_[cursor.unclaimed];
    if (memory.seen_s >= 0) visit(memory);
  }
  return !cursor.peers_done || cursor.unclaimed < remembered_.size();
}

}  // namespace ferrule::protocol
