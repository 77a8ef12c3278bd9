// Messages of ours that come back to be sent: the route to a peer's endpoint leads into the tunnel.
#include "base/wire.h"
#include "packet/headers.h"
#include "protocol/device.h"

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

bool names(const KeypairRef& keypair, std::uint32_t index) noexcept {
  return keypair && keypair->remote_index() == RemoteIndex{index};
}

}  // namespace

bool Device::may_be_ours(Bytes packet, const packet::IpView& ip) noexcept {
  const bool plain = ip.next_protocol == packet::protocol::kUdp;
  const bool fragment = ip.family == Family::v6 && ip.next_protocol == packet::protocol::kFragment;
  packet::UpperLayer udp;
  return (plain || fragment) && find_message(packet, ip, udp);
}

// Not by address and port alone: somebody else behind this machine may well speak with that endpoint
// through the tunnel, and have a tunnel of his own in it. But the indices are drawn at random.
bool Device::is_ours_locked(const Peer& peer, Bytes packet) const noexcept {
  packet::IpView ip;
  packet::UpperLayer udp;
  if (packet::parse_ip(packet, ip) != packet::IpFault::none) return false;
  if (!find_message(packet, ip, udp)) return false;
  const PeerTraffic& traffic = peer.traffic;
  const std::uint8_t* header = packet.data() + udp.offset;
  if (ip.destination_address() != traffic.endpoint.address) return false;
  if (load_be16(header + kUdpDestination) != traffic.endpoint.port) return false;
  const std::uint8_t* message = header + kMessage;
  const std::uint32_t index = load_le32(message + kIndex);
  if (message[0] == static_cast<std::uint8_t>(MessageType::transport_data)) {
    const KeypairSlots& keypairs = traffic.keypairs;
    return names(keypairs.current(), index) || names(keypairs.previous(), index) ||
           names(keypairs.next(), index);
  }
  const IndexEntry* entry = indices_.find(LocalIndex{index});
  return entry != nullptr && entry->peer == peer.id;
}

void Device::drop_loop(OutboundPacket& packet, Attention& attention) noexcept {
  Peer& peer = *peers_.find(packet.peer);
  PeerGuard guard(exclusion_, peer.id);
  if (!is_ours_locked(peer, packet.inner)) return;
  packet.drop = Drop::endpoint_loop;
  peer.traffic.loop.met();
  raise_attention(peer, attention);
}

}  // namespace ferrule::protocol
