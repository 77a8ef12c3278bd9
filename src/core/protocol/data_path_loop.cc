// Messages of ours that come back to be sent: the route to a peer's endpoint leads into the tunnel.
#include <optional>

#include "base/wire.h"
#include "packet/headers.h"
#include "protocol/data_path.h"

namespace ferrule::protocol {

namespace {

constexpr std::size_t kMessage = 8 + kWirePrefix;  // behind the UDP header
constexpr std::size_t kUdpDestination = 2;
constexpr std::size_t kIndex = 4;  // the sender's or, of transport data, the receiver's

// A UDP datagram that starts with what a message of ours does. Of one in fragments, the first.
bool find_message(Bytes packet, const packet::IpView& ip, packet::UpperLayer& udp) noexcept {
  if (!packet::find_upper_layer(packet, ip, udp)) return false;
  if (udp.protocol != packet::protocol::kUdp || !udp.is_first_fragment) return false;
  if (udp.offset + kMessage + kIndex + sizeof(std::uint32_t) > ip.length) return false;
  const std::uint32_t type = load_le32(packet.data() + udp.offset + kMessage);
  return type >= static_cast<std::uint32_t>(MessageType::handshake_initiation) &&
         type <= static_cast<std::uint32_t>(MessageType::transport_data);
}

std::optional<ReturnedMessage> read_message(Bytes packet) noexcept {
  packet::IpView ip;
  packet::UpperLayer udp;
  if (packet::parse_ip(packet, ip) != packet::IpFault::none) return std::nullopt;
  if (!find_message(packet, ip, udp)) return std::nullopt;
  const std::uint8_t* header = packet.data() + udp.offset;
  const std::uint8_t* message = header + kMessage;
  return ReturnedMessage{
      .to = {ip.destination_address(), load_be16(header + kUdpDestination), 0},
      .index = load_le32(message + kIndex),
      .is_data = message[0] == static_cast<std::uint8_t>(MessageType::transport_data)};
}

bool names(const KeypairRef& keypair, std::uint32_t index) noexcept {
  return keypair && keypair->remote_index() == RemoteIndex{index};
}

}  // namespace

bool DataPath::may_be_ours(Bytes packet, const packet::IpView& ip) noexcept {
  const bool plain = ip.next_protocol == packet::protocol::kUdp;
  const bool fragment = ip.family == Family::v6 && ip.next_protocol == packet::protocol::kFragment;
  packet::UpperLayer udp;
  return (plain || fragment) && find_message(packet, ip, udp);
}

// Not by address and port alone: somebody else behind this machine may well speak with that endpoint
// through the tunnel, and have a tunnel of his own in it. But the indices are drawn at random.
bool DataPath::is_of_locked(const Peer& peer, std::uint32_t index, bool is_data) const noexcept {
  if (is_data) {
    const KeypairSlots& keypairs = peer.traffic.keypairs;
    return names(keypairs.current(), index) || names(keypairs.previous(), index) ||
           names(keypairs.next(), index);
  }
  const IndexEntry* entry = tables_.indices.find(LocalIndex{index});
  return entry != nullptr && entry->peer == peer.id;
}

// The peer whose message this is, when it would only come back if it went `through` that one: the same, or
// one that is reached through others and `through` at the end of them through itself. That a peer is
// reached through another is no loop, and what allowed IPs say is no proof of it: only what went by lately.
Peer* DataPath::returned_to(const Now& now, const ReturnedMessage& message,
                            Peer& through) noexcept {
  Peer* peer = &through;
  for (unsigned passed = 0; passed < kMaxLoopPeers; ++passed) {
    Endpoint endpoint;
    {
      PeerGuard guard(tables_.exclusion, peer->id);
      endpoint = peer->traffic.endpoint;
      if (message.to.address == endpoint.address && message.to.port == endpoint.port) {
        return is_of_locked(*peer, message.index, message.is_data) ? peer : nullptr;
      }
    }
    const PeerId next = tables_.allowed_ips.lookup(endpoint.address);
    if (next.is_none()) return nullptr;
    Peer* const carrier = tables_.peers.find(next);  // allowed_ips never names a peer that is gone
    LoopWatch watch;
    {
      PeerGuard guard(tables_.exclusion, carrier->id);
      if (carrier->traffic.loop) watch = *carrier->traffic.loop;
    }
    if (watch.carried_at == Instant::never() || now.boot - watch.carried_at >= kLoopRest) {
      return nullptr;
    }
    PeerGuard guard(tables_.exclusion, peer->id);
    if (!is_of_locked(*peer, watch.carried_index, watch.carried_data)) return nullptr;
    peer = carrier;
  }
  return nullptr;
}

void DataPath::drop_loop(const Now& now, OutboundPacket& packet, Attention& attention) noexcept {
  const std::optional<ReturnedMessage> message = read_message(packet.inner);
  if (!message) return;
  Peer& through = *tables_.peers.find(packet.peer);
  Peer* const peer = returned_to(now, *message, through);
  PeerGuard guard(tables_.exclusion, peer != nullptr ? peer->id : through.id);
  LoopWatch* const watch = (peer != nullptr ? *peer : through).traffic.watch_loop();
  if (peer == nullptr) {
    if (watch != nullptr) watch->carries(*message, now.boot);
    return;
  }
  packet.drop = Drop::endpoint_loop;
  if (watch != nullptr) watch->met();
  raise_attention(*peer, attention);
}

}  // namespace ferrule::protocol
