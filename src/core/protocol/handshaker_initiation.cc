// Handshake messages that we send first, and keepalives (§5.4.2, §6.5).
#include <new>
#include <utility>

#include "base/check.h"
#include "crypto/x25519.h"
#include "protocol/dh_batch.h"
#include "protocol/handshaker.h"

namespace ferrule::protocol {

OutgoingMessage outgoing_handshake(PeerId peer, std::size_t size, const Endpoint& to,
                                   const Source& from) {
  OutgoingMessage message;
  message.size = static_cast<std::uint8_t>(size);
  message.traffic_class = kHandshakeTrafficClass;
  message.to = to;
  message.from = from;
  message.peer = peer;
  return message;
}

// An initiation on its way out, with what X25519 gave for it.
struct Handshaker::Starting {
  Peer& peer;
  OutgoingMessage out;
  Ephemeral ephemeral = {};
  Dh es = {}, ss = {};
  std::optional<LocalIndex> outdated = {};  // of the one before (P33)
};

void Handshaker::start_handshake(const Now& now, const Peer& peer, Outbox& outbox) {
  starting_.push_back(peer.id);
  if (starting_.full()) start_queued(now, outbox);
}

void Handshaker::start_queued(const Now& now, Outbox& outbox) {
  FixedVector<Starting, kHandshakesTogether> batch;
  for (const PeerId id : starting_) {
    Peer* peer = tables_.peers.find(id);  // null: removed since
    if (peer == nullptr) continue;
    if (auto out = begin_initiation(now, *peer)) {
      batch.push_back({*peer, *out});
    } else {
      reschedule(*peer);  // perhaps it waits for a while (P51)
    }
  }
  starting_.clear();
  DhBatch work;
  for (Starting& starting : batch) {
    std::optional<PrivateKey> ephemeral = crypto::generate_private_key(rng_);
    if (!ephemeral) continue;  // without `es`, there is no initiation
    starting.ephemeral.private_key = std::move(*ephemeral);
    work.public_key(starting.ephemeral.private_key, starting.ephemeral.public_key);
    work.dh(starting.ephemeral.private_key, starting.peer.public_key, starting.es);
    if (!starting.peer.handshake.static_static) {
      work.dh(identity_.private_key, starting.peer.public_key, starting.ss);
    }
  }
  if (batch.size() == 0) return;
  work.run();
  IndexCandidates indices(rng_, batch.size());
  for (Starting& starting : batch) make_initiation(now, starting, indices);
  insert_together({batch.data(), batch.size()});
  for (Starting& starting : batch) finish_initiation(now, starting, outbox);
}

std::optional<OutgoingMessage> Handshaker::begin_initiation(const Now& now, Peer& peer) {
  PeerHandshake& handshake = peer.handshake;
  FERRULE_CHECK(handshake.identity == identities_);
  PeerGuard guard(tables_.exclusion, peer.id);
  Timers& timers = peer.traffic.timers;
  if (identity_.private_key.is_zero()) {
    tables_.drops.count(Drop::no_identity);
    timers.handshake_refused();
    return std::nullopt;
  }
  if (!handshake.last_sent_at.is_never() && now.boot - handshake.last_sent_at < kRekeyTimeout) {
    timers.handshake_deferred(handshake.last_sent_at + kRekeyTimeout);  // P51
    return std::nullopt;
  }
  if (peer.traffic.endpoint.is_none()) {
    timers.handshake_refused();
    return std::nullopt;
  }
  handshake.last_sent_at = now.boot;
  peer.traffic.handshake_over = false;
  return outgoing_handshake(peer.id, InitiationLayout::kSize, peer.traffic.endpoint,
                            peer.traffic.source());
}

void Handshaker::finish_initiation(const Now& now, Starting& starting, Outbox& outbox) {
  Peer& peer = starting.peer;
  const bool made = peer.handshake.sent.has_value();
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    Timers& timers = peer.traffic.timers;
    timers.handshake_initiated(now.boot, rng_);  // retries what could not be made, too
    if (made) {
      timers.any_authenticated_packet_traversal(now.boot);
      timers.any_authenticated_packet_sent();
    }
  }
  reschedule(peer);
  if (!made) {
    tables_.drops.count(Drop::no_resources);
    return;
  }
  ++initiations_sent_;
  post(starting.out, outbox);
  log_peer(peer, "sending a handshake initiation");
}

void Handshaker::make_initiation(const Now& now, Starting& starting, IndexCandidates& indices) {
  Peer& peer = starting.peer;
  PeerHandshake& handshake = peer.handshake;
  if (handshake.sent) starting.outdated = handshake.sent->index;
  handshake.sent.reset();
  keep_static_static(peer, starting.ss);
  if (!handshake.static_static) return;
  const std::optional<LocalIndex> index = tables_.indices.find_free(indices);
  if (!index) return;
  const Timestamp timestamp = restored_.next_stamp(now.wall, handshake.last_sent);
  std::optional<SentInitiation> sent = write_initiation(
      identity_.public_key, peer.public_key, std::move(starting.ephemeral), starting.es,
      *handshake.static_static, timestamp, *index, starting.out.room());
  if (!sent || !handshake.sent.emplace(std::move(*sent))) return;
  handshake.last_sent = timestamp;
  tables_.memory_changed();
  peer.add_macs(now.boot, starting.out.room());
}

// The indices of a slice, under one hold of the tables: data waits for it.
void Handshaker::insert_together(std::span<Starting> batch) noexcept {
  TablesGuard guard(tables_.exclusion);
  for (const Starting& starting : batch) {
    if (starting.outdated) tables_.indices.remove(*starting.outdated);
    Boxed<SentInitiation>& sent = starting.peer.handshake.sent;
    if (sent && !tables_.indices.insert(sent->index, {starting.peer.id, nullptr})) sent.reset();
  }
}

// What does not get into the outbox is lost as if on its way: timers make up for it.
void Handshaker::post(const OutgoingMessage& message, Outbox& outbox) noexcept {
  try {
    outbox.messages.push_back(message);
  } catch (const std::bad_alloc&) {
    tables_.drops.count(Drop::no_resources);
  }
}

bool Handshaker::ask_flush(PeerId peer, Outbox& outbox) noexcept {
  try {
    outbox.flush.push_back(peer);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Handshaker::send_staged_or_keepalive(const Now& now, Peer& peer, Outbox& outbox) {
  bool staged = false;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    tables_.expire_staged(now, peer);
    staged = !peer.traffic.staged.empty();
    // Without memory to ask for it now, the next packet from or to the peer does.
    if (staged) peer.traffic.flush_wanted = !ask_flush(peer.id, outbox);
  }
  if (!staged) send_keepalive(now, peer, outbox);
}

void Handshaker::send_keepalive(const Now& now, Peer& peer, Outbox& outbox) {
  OutgoingMessage out;
  KeypairRef keypair;
  std::optional<std::uint64_t> counter;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    PeerTraffic& traffic = peer.traffic;
    if (traffic.endpoint.is_none()) return;
    keypair = traffic.keypairs.current();
    if (keypair && keypair->may_send(now.boot)) counter = keypair->reserve(1);
    if (!counter) {
      // The session that this asks for will begin with a packet of ours anyway (P59).
      traffic.timers.want_handshake();
    } else {
      out = outgoing_handshake(peer.id, TransportLayout::kOverhead, traffic.endpoint,
                               traffic.source());
      traffic.timers.any_authenticated_packet_traversal(now.boot);
      traffic.timers.any_authenticated_packet_sent();
      traffic.keep_key_fresh_sending(now.boot);
    }
  }
  if (counter) {
    out.traffic_class = 0;
    write_transport_header(out.bytes.data(), keypair->remote_index(), *counter);
    const crypto::AeadPacket packet{out.bytes.data() + TransportLayout::kHeaderSize, 0,
                                    &keypair->sending_key(), *counter};
    aead_.seal({&packet, 1});
    post(out, outbox);
  }
  start_wanted_handshake(now, peer, outbox);
}

void Handshaker::start_wanted_handshake(const Now& now, Peer& peer, Outbox& outbox) {
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    if (!peer.traffic.timers.take_wanted()) return;
  }
  start_handshake(now, peer, outbox);
}

}  // namespace ferrule::protocol
