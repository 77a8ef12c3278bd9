// Inwards: from a datagram to an IP packet that its sender may send (§5.4.6; P57, P71, P72, P74).
#include "packet/ecn.h"
#include "protocol/data_path.h"

namespace ferrule::protocol {

Drop DataPath::admit_handshake(HandshakeMessage& message, MessageType type) const noexcept {
  if (!tables_.up) return Drop::device_down;
  // Cookie replies have no mac; their index and tag are checked against what we sent.
  if (type == MessageType::cookie_reply) return Drop::none;
  const std::optional<Mac1Proof> proof = tables_.mac1.prove(message.view());
  if (!proof) return Drop::bad_mac1;
  message.mac1 = *proof;
  return Drop::none;
}

void DataPath::plan_receive(const Now& now, std::span<InboundMessage> messages, ReceivePlan& plan) {
  LocalIndex known{};
  const IndexEntry* entry = nullptr;
  for (InboundMessage& message : messages) {
    const LocalIndex index{load_le32(message.message.data() + TransportLayout::kReceiver)};
    if (entry == nullptr || index != known) {
      entry = tables_.indices.find(index);
      known = index;
    }
    message.counter = load_le64(message.message.data() + TransportLayout::kCounter);
    if (entry == nullptr || entry->keypair == nullptr) {
      message.drop = Drop::unknown_index;
    } else if (entry->keypair->expired(now.boot)) {
      message.drop = Drop::expired_keypair;
    } else if (message.counter >= kRejectAfterMessages) {
      message.drop = Drop::counter_limit;
    } else {
      message.drop = Drop::none;
      if (plan.keypairs.empty() || plan.keypairs.back().get() != entry->keypair) {
        plan.keypairs.emplace_back(entry->keypair);
      }
      message.keypair = static_cast<std::uint32_t>(plan.keypairs.size() - 1);
      continue;
    }
    message.keypair = InboundMessage::kNoKeypair;
    tables_.drops.count(message.drop);
  }
}

void DataPath::finish_receive(const Now& now, const ReceivePlan& plan,
                              std::span<InboundMessage> messages, Attention& attention) noexcept {
  for (std::size_t begin = 0; begin < messages.size();) {
    const InboundMessage& first = messages[begin];
    if (!first.is_planned()) {
      ++begin;
      continue;
    }
    Keypair& keypair = plan.keypair_of(first);
    Peer* peer = tables_.peers.find(keypair.peer());
    std::size_t end = begin;
    {
      // Many peers may share a lock: one that is gone is locked by its id all the same.
      PeerGuard guard(tables_.exclusion, keypair.peer());
      for (; end < messages.size() && messages[end].keypair == first.keypair; ++end) {
        InboundMessage& message = messages[end];
        message.inner = {};
        message.drop =
            peer == nullptr ? Drop::peer_removed : accept_locked(now, *peer, keypair, message);
      }
      if (peer != nullptr) raise_attention(*peer, attention);
    }
    for (; begin < end; ++begin) {
      InboundMessage& message = messages[begin];
      if (message.drop == Drop::none && !message.inner.empty()) {
        message.drop = inspect_inner(*peer, message);
      }
      if (message.drop != Drop::none) tables_.drops.count(message.drop);
    }
  }
}

Drop DataPath::accept_locked(const Now& now, Peer& peer, Keypair& keypair,
                             InboundMessage& message) {
  PeerTraffic& traffic = peer.traffic;
  if (!message.opened) return Drop::bad_tag;
  if (!keypair.attached()) return Drop::expired_keypair;
  if (!keypair.replay().accept(message.counter)) return Drop::replayed_counter;

  if (message.from != traffic.endpoint) tables_.memory_changed();
  traffic.reached(message.from, message.to, tables_.first_use);
  if (traffic.keypairs.confirm(&keypair, traffic.retired)) {  // P42, P58
    traffic.last_handshake = PackedWallTime(now.wall);
    // A session of a private key that is gone only receives: it is not the one that is waited for.
    if (traffic.keypairs.current()->may_send(now.boot)) {
      traffic.timers.handshake_complete();
      traffic.handshake_over = true;
      traffic.flush_wanted = !traffic.staged.empty();
    }
  }
  traffic.keep_key_fresh_receiving(now.boot);
  traffic.timers.any_authenticated_packet_received();
  traffic.timers.any_authenticated_packet_traversal(now.boot);
  traffic.rx_bytes += message.message.size();
  message.inner = message.ciphertext();
  if (!message.inner.empty()) traffic.timers.data_received(now.boot);
  return Drop::none;
}

Drop DataPath::inspect_inner(const Peer& peer, InboundMessage& message) const noexcept {
  switch (packet::parse_ip(message.inner, message.ip)) {
    case packet::IpFault::none:
      break;
    case packet::IpFault::version:
      return Drop::inner_version;
    case packet::IpFault::header:
      return Drop::inner_header;
    case packet::IpFault::length:
      return Drop::inner_length;
  }
  message.inner = message.inner.first(message.ip.length);  // without padding (P70)
  packet::apply_outer_ecn(message.inner, message.ip, message.outer_ecn);
  const PeerId owner = message.ip.family == Family::v4
                           ? tables_.allowed_ips.lookup_v4(message.ip.source)
                           : tables_.allowed_ips.lookup_v6(message.ip.source);
  return owner == peer.id ? Drop::none : Drop::inner_source;
}

}  // namespace ferrule::protocol
