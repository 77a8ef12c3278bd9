// Handshake messages that came, and the sessions they end with (§5.4.2 to §5.4.7).
#include <algorithm>
#include <array>
#include <utility>

#include "crypto/x25519.h"
#include "protocol/dh_batch.h"
#include "protocol/handshaker.h"

namespace ferrule::protocol {

namespace {

Drop check_freshness(const Now& now, const PeerHandshake& handshake, const Timestamp& timestamp) {
  if (handshake.greatest_received && timestamp <= *handshake.greatest_received) {
    return Drop::replayed_initiation;  // P27
  }
  if (!handshake.last_accepted_at.is_never() &&
      now.boot - handshake.last_accepted_at < kInitiationInterval) {
    return Drop::initiation_flood;  // P28
  }
  return Drop::none;
}

}  // namespace

// A message on its way through `handle`, with what X25519 gave for it: an initiation's own `es` and
// `ss`, then `ee` and `se` of the response that it gets; a response's own `ee` and `se`.
struct Handshaker::Incoming {
  const HandshakeMessage& message;
  MessageType type;
  bool was_asked = false;  // for a proof of its address
  PublicKey remote_ephemeral = {};
  Dh es = {}, ss = {}, ee = {}, se = {};
  std::optional<OpenedInitiation> initiation = {};
  Peer* sender = nullptr;  // whom it is from, as far as is known
  Drop drop = Drop::none;  // why it is refused
  bool accepted = false;   // the initiation gets a response
  Ephemeral ephemeral = {};
  OutgoingMessage response = {};
  KeypairRef keypair = {};  // of the session that it leads to
  Crossing crossing = Crossing::none;
  bool installed = false;
  KeypairSlots::Retired retired = {};  // by that session

  // Whether X25519 was for nothing.
  [[nodiscard]] bool was_useless() const noexcept {
    return drop != Drop::none && drop != Drop::unknown_handshake && drop != Drop::no_resources;
  }
  void count(OpenedHandshakes& opened) const noexcept {
    if (was_asked || type == MessageType::cookie_reply) return;
    if (drop == Drop::none) ++opened.genuine;
    if (was_useless()) ++opened.useless;
  }
};

Handshaker::Handshaker(Rng& rng, const crypto::AeadBackend& aead, Log& log, DeviceTables& tables,
                       RestoredMemory& restored)
    : rng_(rng), aead_(aead), log_(log), tables_(tables), restored_(restored), ratelimiter_(rng) {}

void Handshaker::judge_sources(SourceJudge judge) {
  source_judge_ = std::move(judge);
  tables_.first_use = source_judge_ ? SourceUse::unknown : SourceUse::chosen;
}

OpenedHandshakes Handshaker::handle(const Now& now, std::span<const ReceivedHandshake> received,
                                    Outbox& outbox) noexcept {
  OpenedHandshakes opened;
  while (!received.empty()) {
    const std::size_t count = std::min(received.size(), kHandshakesTogether);
    handle_together(now, received.first(count), outbox, opened);
    received = received.subspan(count);
  }
  start_queued(now, outbox);
  return opened;
}

// Everything that changes a peer happens in the order of the messages, in `process`, or belongs to a
// peer that no other message of these has been accepted from (P28). Around it stand the steps that
// only compute, each for all messages at once.
void Handshaker::handle_together(const Now& now, std::span<const ReceivedHandshake> received,
                                 Outbox& outbox, OpenedHandshakes& opened) {
  FixedVector<Incoming, kHandshakesTogether> batch;
  for (const ReceivedHandshake& one : received) {
    if (const auto type = admit(now, one, outbox)) {
      batch.push_back({one.message, *type, one.under_load});
    }
  }
  const std::span<Incoming> all(batch.data(), batch.size());
  open_together(now, all);
  for (Incoming& incoming : all) {
    process(now, incoming);
    incoming.count(opened);
  }
  respond_together(now, all);
  install_together(now, all);
  for (Incoming& incoming : all) conclude(now, incoming, outbox);
}

std::optional<MessageType> Handshaker::admit(const Now& now, const ReceivedHandshake& received,
                                             Outbox& outbox) {
  const Bytes message = received.message.view();
  const std::optional<MessageType> type = classify(message);
  if (!type || *type == MessageType::transport_data) {
    tables_.drops.count(Drop::malformed);
    return std::nullopt;
  }
  if (!tables_.up) {
    tables_.drops.count(Drop::device_down);
    return std::nullopt;
  }
  if (*type == MessageType::cookie_reply) return type;
  // One that was admitted for the identity that there is need not be checked again.
  if (!tables_.mac1.gave(received.message.mac1) && !tables_.mac1.check(message)) {
    tables_.drops.count(Drop::bad_mac1);
    return std::nullopt;
  }
  if (!received.under_load) {
    ratelimiter_.forget_idle(now.boot);
  } else if (!proves_address(now, received.message, outbox)) {
    return std::nullopt;
  }
  return type;
}

bool Handshaker::proves_address(const Now& now, const HandshakeMessage& message, Outbox& outbox) {
  if (cookies_.check_mac2(now.boot, message.view(), message.from)) {
    if (ratelimiter_.allow(now.boot, message.from.address)) return true;
    tables_.drops.count(Drop::rate_limited);
    return false;
  }
  tables_.drops.count(Drop::cookie_required);
  const std::optional<CookieReply> reply =
      cookies_.make_reply(now.boot, message.view(), message.from, rng_);
  if (!reply) {
    tables_.drops.count(Drop::no_resources);
    return false;
  }
  OutgoingMessage out;  // traffic class 0 (P32)
  out.size = static_cast<std::uint8_t>(reply->size());
  copy(*reply, out.bytes);
  out.to = message.from;
  out.from = usable(message.to, SourceUse::unknown);
  post(out, outbox);
  return false;
}

void Handshaker::keep_static_static(Peer& peer, Dh& ss) {
  if (!peer.handshake.static_static && ss.accepted) {
    (void)peer.handshake.static_static.emplace(std::move(ss.shared));  // or it is none (P35)
  }
}

void Handshaker::open_together(const Now& now, std::span<Incoming> batch) noexcept {
  DhBatch work;
  for (Incoming& incoming : batch) {
    const Bytes message = incoming.message.view();
    if (incoming.type == MessageType::cookie_reply) continue;
    incoming.remote_ephemeral = received_ephemeral(message);
    if (incoming.type == MessageType::handshake_initiation) {
      work.dh(identity_.private_key, incoming.remote_ephemeral, incoming.es);
    } else if (const Peer* peer = awaiting_response(now, message)) {
      work.dh(peer->handshake.sent->ephemeral, incoming.remote_ephemeral, incoming.ee);
      work.dh(identity_.private_key, incoming.remote_ephemeral, incoming.se);
    }
  }
  work.run();
  for (Incoming& incoming : batch) {
    if (incoming.type != MessageType::handshake_initiation) continue;
    incoming.initiation =
        open_initiation(identity_.public_key, incoming.es, incoming.message.view());
    if (!incoming.initiation) continue;
    incoming.sender = tables_.peers.find(incoming.initiation->static_key);
    if (incoming.sender == nullptr) continue;
    follow_identity(now, *incoming.sender);
    if (!incoming.sender->handshake.static_static) {
      work.dh(identity_.private_key, incoming.sender->public_key, incoming.ss);
    }
  }
  work.run();
}

void Handshaker::process(const Now& now, Incoming& incoming) {
  switch (incoming.type) {
    case MessageType::handshake_initiation:
      incoming.drop = accept(now, incoming);
      break;
    case MessageType::handshake_response:
      incoming.drop = accept_response(now, incoming);
      break;
    default:
      handle_cookie_reply(now, incoming.message);
  }
  if (incoming.drop != Drop::none) tables_.drops.count(incoming.drop);
}

Drop Handshaker::accept(const Now& now, Incoming& incoming) {
  if (!incoming.initiation) return Drop::bad_handshake;
  if (incoming.sender == nullptr) return Drop::unknown_peer;  // P26: in silence
  Peer& peer = *incoming.sender;
  keep_static_static(peer, incoming.ss);
  if (!peer.handshake.static_static) {
    return incoming.ss.accepted ? Drop::no_resources : Drop::bad_handshake;
  }
  const std::optional<Timestamp> timestamp =
      open_timestamp(*incoming.initiation, *peer.handshake.static_static, incoming.message.view());
  if (!timestamp) return Drop::bad_handshake;
  if (const Drop drop = check_freshness(now, peer.handshake, *timestamp); drop != Drop::none) {
    return drop;
  }
  // The sender has proven itself and the message is new: from here on it counts.
  peer.handshake.greatest_received = *timestamp;
  tables_.memory_changed();
  peer.handshake.last_accepted_at = now.boot;
  if (peer.handshake.sent) peer.handshake.sent->crossed = true;  // P34
  received_handshake_message(now, peer, incoming.message);
  incoming.accepted = true;
  return Drop::none;
}

void Handshaker::received_handshake_message(const Now& now, Peer& peer,
                                            const HandshakeMessage& message) {
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.reached(message.from, message.to, tables_.first_use);  // P74
  }
  judge_source(peer);  // before anything is answered
  PeerGuard guard(tables_.exclusion, peer.id);
  peer.traffic.rx_bytes += message.size;  // P78
  peer.traffic.timers.any_authenticated_packet_received();
  peer.traffic.timers.any_authenticated_packet_traversal(now.boot);
}

// What the data path has learned is asked about here, where a system call holds nobody up.
void Handshaker::judge_source(Peer& peer) {
  Endpoint to;
  Source at;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    if (peer.traffic.source_use != SourceUse::unknown) return;
    to = peer.traffic.endpoint;
    at = peer.traffic.reached_at();
  }
  SourceUse use;
  try {
    use = source_judge_(to, at);
  } catch (const std::bad_alloc&) {
    return;  // it stays unknown
  }
  PeerGuard guard(tables_.exclusion, peer.id);
  PeerTraffic& traffic = peer.traffic;
  if (traffic.endpoint.address != to.address || traffic.reached_at() != at) return;
  if (traffic.source_use != SourceUse::unknown) return;
  traffic.use_source(use);
}

Source Handshaker::source_of(const Peer& peer) const {
  PeerGuard guard(tables_.exclusion, peer.id);
  return peer.traffic.source();
}

void Handshaker::respond_together(const Now& now, std::span<Incoming> batch) {
  DhBatch work;
  std::size_t responses = 0;
  for (Incoming& incoming : batch) {
    if (!incoming.accepted) continue;
    ++responses;
    std::optional<PrivateKey> ephemeral = crypto::generate_private_key(rng_);
    if (!ephemeral) continue;  // without `ee`, there is no response
    incoming.ephemeral.private_key = std::move(*ephemeral);
    const PrivateKey& own = incoming.ephemeral.private_key;
    work.public_key(own, incoming.ephemeral.public_key);
    work.dh(own, incoming.remote_ephemeral, incoming.ee);
    work.dh(own, incoming.sender->public_key, incoming.se);
  }
  if (responses == 0) return;
  work.run();
  IndexCandidates indices(rng_, responses);
  for (Incoming& incoming : batch) {
    if (incoming.accepted) respond(now, incoming, indices);
  }
}

void Handshaker::respond(const Now& now, Incoming& incoming, IndexCandidates& indices) {
  Peer& peer = *incoming.sender;
  OutgoingMessage& out = incoming.response;
  out = outgoing_handshake(peer.id, ResponseLayout::kSize, incoming.message.from, source_of(peer));
  const std::optional<LocalIndex> index = tables_.indices.find_free(indices);
  if (!index) return;
  const RemoteIndex remote = incoming.initiation->sender;
  std::optional<TransportKeys> keys =
      write_response(std::move(*incoming.initiation), incoming.ephemeral.public_key, incoming.ee,
                     incoming.se, peer.handshake.psk, *index, out.room());
  if (!keys) return;
  peer.add_macs(now.boot, out.room());
  incoming.keypair = make_keypair(std::move(*keys), {peer.id, *index, remote, false}, now.boot);
}

// All sessions of a slice under one hold of the tables, which data waits for: indices were drawn before,
// and what retires is freed later. Those of our own initiations first, as if they had come alone.
void Handshaker::install_together(const Now& now, std::span<Incoming> batch) noexcept {
  if (std::ranges::none_of(batch, [](const Incoming& one) { return bool(one.keypair); })) return;
  TablesGuard guard(tables_.exclusion);
  for (const auto type : {MessageType::handshake_response, MessageType::handshake_initiation}) {
    for (Incoming& incoming : batch) {
      if (incoming.type == type && incoming.keypair) install(now, incoming);
    }
  }
}

void Handshaker::install(const Now& now, Incoming& incoming) noexcept {
  Peer& peer = *incoming.sender;
  const LocalIndex index = incoming.keypair->local_index();
  const IndexEntry entry{peer.id, incoming.keypair.get()};
  if (incoming.type == MessageType::handshake_response) {
    tables_.indices.replace(index, entry);
  } else if (!tables_.indices.insert(index, entry)) {
    return;
  }
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.keypairs.install(std::move(incoming.keypair), incoming.retired, incoming.crossing);
    peer.traffic.timers.session_derived(now.boot);
    tables_.memory_changed();
  }
  remove_indices(incoming.retired);
  incoming.installed = true;
}

void Handshaker::conclude(const Now& now, Incoming& incoming, Outbox& outbox) {
  if (incoming.accepted && !incoming.installed) tables_.drops.count(Drop::no_resources);
  if (!incoming.installed) return;
  Peer& peer = *incoming.sender;
  if (incoming.type == MessageType::handshake_response) {
    conclude_response(now, peer, outbox);
    return;
  }
  peer.handshake.last_sent_at = now.boot;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.timers.any_authenticated_packet_traversal(now.boot);
    peer.traffic.timers.any_authenticated_packet_sent();
  }
  reschedule(peer);
  post(incoming.response, outbox);
  log_peer(peer, "received a handshake initiation, sending the response");
}

Peer* Handshaker::awaiting_response(const Now& now, Bytes message) {
  const LocalIndex index{load_le32(message.data() + ResponseLayout::kReceiver)};
  const IndexEntry* entry = tables_.indices.find(index);
  Peer* peer = entry == nullptr ? nullptr : tables_.peers.find(entry->peer);
  if (peer != nullptr) follow_identity(now, *peer);
  const bool waits =
      peer != nullptr && peer->handshake.sent && peer->handshake.sent->index == index;
  return waits ? peer : nullptr;
}

Drop Handshaker::accept_response(const Now& now, Incoming& incoming) {
  const Bytes bytes = incoming.message.view();
  // P30: only a handshake of ours that is still waiting takes a response.
  Peer* peer = awaiting_response(now, bytes);
  if (peer == nullptr) return Drop::unknown_handshake;
  std::optional<TransportKeys> keys =
      open_response(*peer->handshake.sent, incoming.ee, incoming.se, peer->handshake.psk, bytes);
  if (!keys) return Drop::bad_handshake;
  const LocalIndex index = peer->handshake.sent->index;
  const RemoteIndex remote{load_le32(bytes.data() + ResponseLayout::kSender)};
  incoming.keypair = make_keypair(std::move(*keys), {peer->id, index, remote, true}, now.boot);
  if (!incoming.keypair) return Drop::no_resources;  // the handshake goes on waiting
  incoming.sender = peer;
  incoming.crossing = crossing_of(*peer);
  peer->handshake.sent.reset();  // P24; its index goes on as the keypair's
  received_handshake_message(now, *peer, incoming.message);
  return Drop::none;
}

void Handshaker::conclude_response(const Now& now, Peer& peer, Outbox& outbox) {
  ++initiations_answered_;
  {
    PeerGuard guard(tables_.exclusion, peer.id);
    peer.traffic.timers.handshake_complete();
    peer.traffic.last_handshake = PackedWallTime(now.wall);
  }
  send_staged_or_keepalive(now, peer, outbox);  // P59
  reschedule(peer);
  log_peer(peer, "received a handshake response");
}

void Handshaker::handle_cookie_reply(const Now& now, const HandshakeMessage& message) {
  const LocalIndex index{load_le32(message.view().data() + CookieReplyLayout::kReceiver)};
  const IndexEntry* entry = tables_.indices.find(index);
  Peer* peer = entry == nullptr ? nullptr : tables_.peers.find(entry->peer);
  if (peer == nullptr) {
    tables_.drops.count(Drop::unknown_handshake);
    return;
  }
  // The endpoint stays as it is: nothing here proves who sent this (P74).
  if (Boxed<CookieHolder>& cookie = peer->handshake.cookie;
      cookie && cookie->consume_reply(now.boot, message.view())) {
    ++cookie_replies_;
  } else {
    tables_.drops.count(Drop::bad_cookie_reply);
  }
}

// P34a: of two keypairs that both sides have, the same one stays on both sides.
Crossing Handshaker::crossing_of(const Peer& peer) const noexcept {
  if (!peer.handshake.sent->crossed) return Crossing::none;
  return identity_.public_key > peer.public_key ? Crossing::stays : Crossing::yields;
}

}  // namespace ferrule::protocol
