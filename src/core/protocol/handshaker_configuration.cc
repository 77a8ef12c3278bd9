// What begins and ends with the configuration: identities, peers, the interface (P25, P27, P59a, P101).
#include <algorithm>
#include <utility>

#include "crypto/blake2s.h"
#include "crypto/x25519.h"
#include "protocol/handshaker.h"

namespace ferrule::protocol {

std::optional<DeviceMemory::Identity> Handshaker::memory_identity() const noexcept {
  if (identity_.private_key.is_zero()) return std::nullopt;
  return crypto::hash({identity_.public_key.bytes});
}

bool Handshaker::set_private_key(PrivateKey key) {
  const bool zero = key.is_zero();
  if (!zero) crypto::clamp(key);
  if (constant_time_equal(key.bytes(), identity_.private_key.bytes())) return false;
  ++identities_;
  identity_.private_key = std::move(key);
  identity_.public_key = zero ? PublicKey{} : crypto::public_key_of(identity_.private_key);
  cookies_.set_identity(identity_.public_key);
  // Peers that were added before it take up what was remembered of them as they follow it.
  if (const auto own = memory_identity()) restored_.recognize(*own);
  TablesGuard guard(tables_.exclusion);
  tables_.mac1 = zero ? Mac1Checker() : Mac1Checker(identity_.public_key, identities_);
  return true;
}

// All peers do, one after the other; one that has to do with a handshake meanwhile, before that.
void Handshaker::follow_identity(const Now& now, Peer& peer) {
  if (std::exchange(peer.handshake.identity, identities_) == identities_) return;
  claim_memory(peer);
  peer.handshake.static_static.reset();            // P25
  peer.handshake.last_sent_at = Instant::never();  // so that the next packet rekeys at once (P101)
  clear_handshake(peer);
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.keypairs.stop_sending();
    // Without a key there is nothing to start over with: what was armed waits for the next one, and
    // what was staged would wait in vain.
    if (identity_.private_key.is_zero()) {
      tables_.drop_staged(peer, Drop::no_identity);
    } else {
      peer.traffic.timers.handshake_outdated(now.boot);
    }
  }
  reschedule(peer);
  if (tables_.up && peer.handshake.revive) revive(now, peer);
}

void Handshaker::claim_memory(Peer& peer) noexcept {
  const PeerMemory* const known = restored_.claim(peer.public_key);
  if (known == nullptr) return;
  PeerHandshake& handshake = peer.handshake;
  handshake.greatest_received = known->received;
  if (known->sent) handshake.last_sent = known->sent;
  handshake.revive = known->had_session;
  PeerGuard guard(tables_.exclusion, peer.id);
  if (peer.traffic.endpoint.is_none()) peer.traffic.endpoint = known->endpoint;
  peer.traffic.tx_bytes += known->tx_bytes;
  peer.traffic.rx_bytes += known->rx_bytes;
}

// The peer may not know yet that its session is gone, and only sends: nobody but us can tell it at once.
void Handshaker::revive(const Now& now, Peer& peer) noexcept {
  peer.handshake.revive = false;
  const Instant at = std::max(now.boot, next_revival_);
  next_revival_ = at + kRevivalPace;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    Timers& timers = peer.traffic.timers;
    if (timers.initiation() != Initiation::idle) return;
    timers.want_handshake();
    (void)timers.take_wanted();
    timers.handshake_deferred(at);
  }
  reschedule(peer);
}

void Handshaker::welcome(Peer& peer) noexcept {
  peer.handshake.identity = identities_;
  claim_memory(peer);
}

void Handshaker::changed(const Now& now, Peer& peer, bool switched_on, Outbox& outbox) {
  bool staged = false;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    tables_.expire_staged(now, peer);
    staged = !peer.traffic.staged.empty();
  }
  if (switched_on) {
    wake(now, peer);  // P55
  } else if (staged) {
    send_staged_or_keepalive(now, peer, outbox);
  }
  if (peer.handshake.revive) revive(now, peer);
}

// Its keepalive is due: the timer sends it in its turn (P59a).
void Handshaker::wake(const Now& now, Peer& peer) noexcept {
  follow_identity(now, peer);
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.timers.persistent_keepalive_at_once(now.boot);
  }
  reschedule(peer);
  if (peer.handshake.revive) revive(now, peer);
}

void Handshaker::stop(Peer& peer) {
  clear_sessions(peer);
  peer.handshake.last_sent_at = Instant::never();
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.timers.stop();
    tables_.drop_staged(peer, Drop::device_down);
  }
  reschedule(peer);
}

void Handshaker::forget(Peer& peer) {
  clear_sessions(peer);
  deadlines_.remove(peer.id);
}

void Handshaker::clear_handshake(Peer& peer) {
  if (!peer.handshake.sent) return;
  TablesGuard guard(tables_.exclusion);
  tables_.indices.remove(peer.handshake.sent->index);
  peer.handshake.sent.reset();
}

void Handshaker::clear_sessions(Peer& peer) {
  clear_handshake(peer);
  KeypairSlots::Retired retired;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    retired = std::exchange(peer.traffic.retired, {});
    peer.traffic.keypairs.clear(retired);
  }
  if (retired.empty()) return;
  TablesGuard guard(tables_.exclusion);
  remove_indices(retired);
}

// Data waits while the tables are held: many at once, and let go of afterwards.
void Handshaker::reap(RetiredTogether& retired) noexcept {
  if (retired.size() == 0) return;
  {
    TablesGuard guard(tables_.exclusion);
    for (const KeypairSlots::Retired& of_a_peer : retired) remove_indices(of_a_peer);
  }
  retired.clear();
}

// With the tables held. Whoever lets go of the keypairs does so later.
void Handshaker::remove_indices(const KeypairSlots::Retired& retired) noexcept {
  for (const Keypair* keypair = retired.first(); keypair != nullptr;
       keypair = KeypairSlots::Retired::after(*keypair)) {
    tables_.indices.remove(keypair->local_index());
  }
}

}  // namespace ferrule::protocol
