// Handshake messages in and out, and the sessions they end with (§5.4.2 to §5.4.7).
#include <string>
#include <utility>

#include "base/key_text.h"
#include "crypto/x25519.h"
#include "protocol/device.h"

namespace ferrule::protocol {

namespace {

OutgoingMessage outgoing(PeerId peer, std::size_t size, const Endpoint& to, const Source& from) {
  OutgoingMessage message;
  message.size = static_cast<std::uint8_t>(size);
  message.traffic_class = kHandshakeTrafficClass;
  message.to = to;
  message.from = from;
  message.peer = peer;
  return message;
}

MutBytes room(OutgoingMessage& message) { return {message.bytes.data(), message.size}; }

Drop check_freshness(const Now& now, const PeerHandshake& handshake, const Timestamp& timestamp) {
  if (handshake.greatest_received && timestamp <= *handshake.greatest_received) {
    return Drop::replayed_initiation;  // P27
  }
  if (handshake.last_accepted_at && now.boot - *handshake.last_accepted_at < kInitiationInterval) {
    return Drop::initiation_flood;  // P28
  }
  return Drop::none;
}

}  // namespace

void Device::log_peer(const Peer& peer, std::string_view what) const {
  if (!log_.wants(LogLevel::verbose)) return;
  const std::string key = to_base64(peer.public_key);
  std::string line = "peer ";
  line += key.substr(0, 4);
  line += "\u2026";
  line += key.substr(39, 4);
  line += ": ";
  line += what;
  log_.write(LogLevel::verbose, line);
}

void Device::handle(const Now& now, const HandshakeMessage& message, bool under_load,
                    Outbox& outbox) {
  const std::optional<MessageType> type = classify(message.view());
  if (!type || *type == MessageType::transport_data) {
    drops_.count(Drop::malformed);
    return;
  }
  if (const Drop drop = admit_handshake(message.view(), *type); drop != Drop::none) {
    drops_.count(drop);
    return;
  }
  if (*type == MessageType::cookie_reply) {
    handle_cookie_reply(now, message);
    return;
  }
  if (!under_load) {
    ratelimiter_.forget_idle(now.boot);
  } else if (!proves_address(now, message, outbox)) {
    return;
  }
  if (*type == MessageType::handshake_initiation) {
    handle_initiation(now, message, outbox);
  } else {
    handle_response(now, message, outbox);
  }
}

bool Device::proves_address(const Now& now, const HandshakeMessage& message, Outbox& outbox) {
  if (cookies_.check_mac2(now.boot, message.view(), message.from)) {
    if (ratelimiter_.allow(now.boot, message.from.address)) return true;
    drops_.count(Drop::rate_limited);
    return false;
  }
  drops_.count(Drop::cookie_required);
  const std::optional<CookieReply> reply =
      cookies_.make_reply(now.boot, message.view(), message.from, rng_);
  if (!reply) {
    drops_.count(Drop::no_resources);
    return false;
  }
  OutgoingMessage out;  // traffic class 0 (P32)
  out.size = static_cast<std::uint8_t>(reply->size());
  copy(*reply, out.bytes);
  out.to = message.from;
  out.from = message.to;
  outbox.messages.push_back(out);
  return false;
}

const Secret<32>* Device::static_static(Peer& peer) {
  std::optional<Secret<32>>& secret = peer.handshake.static_static;
  if (!secret) {
    Secret<32> shared;
    if (!crypto::x25519(identity_.private_key, peer.public_key, shared)) return nullptr;
    secret = std::move(shared);
  }
  return &*secret;
}

void Device::handle_initiation(const Now& now, const HandshakeMessage& message, Outbox& outbox) {
  std::optional<OpenedInitiation> initiation = open_initiation(identity_, message.view());
  if (!initiation) {
    drops_.count(Drop::bad_handshake);
    return;
  }
  Peer* peer = peers_.find(initiation->static_key);
  if (peer == nullptr) {
    drops_.count(Drop::unknown_peer);  // P26: in silence
    return;
  }
  const Secret<32>* shared = static_static(*peer);
  const std::optional<Timestamp> timestamp =
      shared == nullptr ? std::nullopt : open_timestamp(*initiation, *shared, message.view());
  if (!timestamp) {
    drops_.count(Drop::bad_handshake);
    return;
  }
  if (const Drop drop = check_freshness(now, peer->handshake, *timestamp); drop != Drop::none) {
    drops_.count(drop);
    return;
  }
  // The sender has proven itself and the message is new: from here on it counts.
  peer->handshake.greatest_received = *timestamp;
  peer->handshake.last_accepted_at = now.boot;
  clear_handshake(*peer);  // P34
  received_handshake_message(now, *peer, message);
  respond(now, *peer, std::move(*initiation), message, outbox);
}

void Device::received_handshake_message(const Now& now, Peer& peer,
                                        const HandshakeMessage& message) {
  PeerGuard guard(exclusion_, peer.id);
  peer.traffic.endpoint = message.from;  // P74
  peer.traffic.source = message.to;
  peer.traffic.rx_bytes += message.size;  // P78
  peer.traffic.timers.any_authenticated_packet_received();
  peer.traffic.timers.any_authenticated_packet_traversal(now.boot);
}

void Device::respond(const Now& now, Peer& peer, OpenedInitiation initiation,
                     const HandshakeMessage& message, Outbox& outbox) {
  OutgoingMessage out = outgoing(peer.id, ResponseLayout::kSize, message.from, message.to);
  std::optional<LocalIndex> index;
  {
    TablesGuard guard(exclusion_);
    index = indices_.insert(rng_, {peer.id, nullptr});
  }
  if (!index) {
    drops_.count(Drop::no_resources);
    return;
  }
  const RemoteIndex remote = initiation.sender;
  std::optional<TransportKeys> keys =
      write_response(std::move(initiation), peer.handshake.psk, *index, rng_, room(out));
  if (!keys) {
    TablesGuard guard(exclusion_);
    indices_.remove(*index);
    drops_.count(Drop::no_resources);
    return;
  }
  peer.handshake.cookie.add_macs(now.boot, room(out));
  peer.handshake.last_sent_at = now.boot;
  begin_session(now, peer, std::move(*keys), {peer.id, *index, remote, false});
  {
    PeerGuard guard(exclusion_, peer.id);
    peer.traffic.tx_bytes += out.size;
    peer.traffic.timers.any_authenticated_packet_traversal(now.boot);
    peer.traffic.timers.any_authenticated_packet_sent();
  }
  reschedule(peer);
  outbox.messages.push_back(out);
  log_peer(peer, "received a handshake initiation, sending the response");
}

void Device::handle_response(const Now& now, const HandshakeMessage& message, Outbox& outbox) {
  const Bytes bytes = message.view();
  const LocalIndex index{load_le32(bytes.data() + ResponseLayout::kReceiver)};
  const IndexEntry* entry = indices_.find(index);
  Peer* peer = entry == nullptr ? nullptr : peers_.find(entry->peer);
  // P30: only a handshake of ours that is still waiting takes a response.
  if (peer == nullptr || !peer->handshake.sent || peer->handshake.sent->index != index) {
    drops_.count(Drop::unknown_handshake);
    return;
  }
  std::optional<TransportKeys> keys =
      open_response(identity_, *peer->handshake.sent, peer->handshake.psk, bytes);
  if (!keys) {
    drops_.count(Drop::bad_handshake);
    return;
  }
  peer->handshake.sent.reset();  // P24; its index goes on as the keypair's
  const RemoteIndex remote{load_le32(bytes.data() + ResponseLayout::kSender)};
  received_handshake_message(now, *peer, message);
  begin_session(now, *peer, std::move(*keys), {peer->id, index, remote, true});
  {
    PeerGuard guard(exclusion_, peer->id);
    peer->traffic.timers.handshake_complete();
    peer->traffic.handshake_wanted = false;
    peer->traffic.last_handshake = now.wall;
  }
  send_staged_or_keepalive(now, *peer, outbox);  // P59
  reschedule(*peer);
  log_peer(*peer, "received a handshake response");
}

void Device::handle_cookie_reply(const Now& now, const HandshakeMessage& message) {
  const LocalIndex index{load_le32(message.view().data() + CookieReplyLayout::kReceiver)};
  const IndexEntry* entry = indices_.find(index);
  Peer* peer = entry == nullptr ? nullptr : peers_.find(entry->peer);
  if (peer == nullptr) {
    drops_.count(Drop::unknown_handshake);
    return;
  }
  // The endpoint stays as it is: nothing here proves who sent this (P74).
  if (peer->handshake.cookie.consume_reply(now.boot, message.view())) {
    ++cookie_replies_;
  } else {
    drops_.count(Drop::bad_cookie_reply);
  }
}

void Device::begin_session(const Now& now, Peer& peer, TransportKeys keys,
                           const Keypair::Names& names) {
  KeypairRef keypair = make_keypair(std::move(keys), names, now.boot);
  {
    TablesGuard guard(exclusion_);
    indices_.replace(names.local, {peer.id, keypair.get()});
  }
  KeypairSlots::Retired retired;
  {
    PeerGuard guard(exclusion_, peer.id);
    peer.traffic.keypairs.install(std::move(keypair), retired);
    peer.traffic.timers.session_derived(now.boot);
  }
  reap(std::move(retired));
}

void Device::start_handshake(const Now& now, Peer& peer, Outbox& outbox) {
  PeerHandshake& handshake = peer.handshake;
  if (identity_.private_key.is_zero()) {
    drops_.count(Drop::no_identity);
    return;
  }
  if (handshake.last_sent_at && now.boot - *handshake.last_sent_at < kRekeyTimeout) {
    PeerGuard guard(exclusion_, peer.id);
    peer.traffic.timers.handshake_deferred(*handshake.last_sent_at + kRekeyTimeout);  // P51
    return;
  }
  OutgoingMessage out;
  {
    PeerGuard guard(exclusion_, peer.id);
    if (peer.traffic.endpoint.is_none()) return;
    out = outgoing(peer.id, InitiationLayout::kSize, peer.traffic.endpoint, peer.traffic.source);
  }
  const bool made = make_initiation(now, peer, out);
  handshake.last_sent_at = now.boot;
  {
    PeerGuard guard(exclusion_, peer.id);
    Timers& timers = peer.traffic.timers;
    timers.handshake_initiated(now.boot, rng_);  // retries what could not be made, too
    if (made) {
      peer.traffic.tx_bytes += out.size;
      timers.any_authenticated_packet_traversal(now.boot);
      timers.any_authenticated_packet_sent();
    }
  }
  if (!made) {
    drops_.count(Drop::no_resources);
    return;
  }
  outbox.messages.push_back(out);
  log_peer(peer, "sending a handshake initiation");
}

bool Device::make_initiation(const Now& now, Peer& peer, OutgoingMessage& message) {
  PeerHandshake& handshake = peer.handshake;
  clear_handshake(peer);  // P33: the index of the one before is free again
  const Secret<32>* shared = static_static(peer);
  if (shared == nullptr) return false;
  std::optional<LocalIndex> index;
  {
    TablesGuard guard(exclusion_);
    index = indices_.insert(rng_, {peer.id, nullptr});
  }
  if (!index) return false;
  Timestamp timestamp = make_timestamp(now.wall);
  if (handshake.last_sent && timestamp <= *handshake.last_sent) {
    timestamp = next_timestamp(*handshake.last_sent);  // P60: the wall clock went backwards
  }
  handshake.sent =
      write_initiation(identity_, peer.public_key, *shared, timestamp, *index, rng_, room(message));
  if (!handshake.sent) {
    TablesGuard guard(exclusion_);
    indices_.remove(*index);
    return false;
  }
  handshake.last_sent = timestamp;
  handshake.cookie.add_macs(now.boot, room(message));
  return true;
}

void Device::clear_handshake(Peer& peer) {
  if (!peer.handshake.sent) return;
  TablesGuard guard(exclusion_);
  indices_.remove(peer.handshake.sent->index);
  peer.handshake.sent.reset();
}

void Device::send_staged_or_keepalive(const Now& now, Peer& peer, Outbox& outbox) {
  bool staged = false;
  {
    PeerGuard guard(exclusion_, peer.id);
    staged = !peer.traffic.staged.empty();
  }
  if (staged) {
    outbox.flush.push_back(peer.id);
  } else {
    send_keepalive(now, peer, outbox);
  }
}

void Device::send_keepalive(const Now& now, Peer& peer, Outbox& outbox) {
  OutgoingMessage out;
  KeypairRef keypair;
  std::optional<std::uint64_t> counter;
  {
    PeerGuard guard(exclusion_, peer.id);
    PeerTraffic& traffic = peer.traffic;
    if (traffic.endpoint.is_none()) return;
    keypair = traffic.keypairs.current();
    if (keypair && keypair->may_send(now.boot)) counter = keypair->reserve(1);
    if (!counter) {
      // The session that this asks for will begin with a packet of ours anyway (P59).
      want_handshake(traffic);
    } else {
      out = outgoing(peer.id, TransportLayout::kOverhead, traffic.endpoint, traffic.source);
      traffic.tx_bytes += out.size;
      traffic.timers.any_authenticated_packet_traversal(now.boot);
      traffic.timers.any_authenticated_packet_sent();
      keep_key_fresh_sending(now, traffic);
    }
  }
  if (counter) {
    out.traffic_class = 0;
    write_transport_header(out.bytes.data(), keypair->remote_index(), *counter);
    const crypto::AeadPacket packet{out.bytes.data() + TransportLayout::kHeaderSize, 0,
                                    &keypair->sending_key(), *counter};
    aead_.seal({&packet, 1});
    outbox.messages.push_back(out);
  }
  start_wanted_handshake(now, peer, outbox);
}

void Device::start_wanted_handshake(const Now& now, Peer& peer, Outbox& outbox) {
  {
    PeerGuard guard(exclusion_, peer.id);
    if (!std::exchange(peer.traffic.handshake_wanted, false)) return;
  }
  start_handshake(now, peer, outbox);
}

}  // namespace ferrule::protocol
