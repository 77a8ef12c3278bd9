#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>

#include <cstring>
#include <optional>

#include "client/kernel/messages.h"
#include "io/linux/netlink.h"
#include "io/linux/socket_address.h"

namespace ferrule::client {

namespace {

// The value of an attribute, if it has its size.
template <class T>
std::optional<T> value_of(const nlattr& attribute) {
  if (mnl_attr_get_payload_len(&attribute) != sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, mnl_attr_get_payload(&attribute), sizeof value);
  return value;
}

template <class T>
void read(const nlattr& attribute, T& value) {
  if (const auto read = value_of<T>(attribute)) value = *read;
}

// 32 bytes, if that is what it has.
std::optional<std::span<const std::uint8_t, kKeySize>> key_of(const nlattr& attribute) {
  if (mnl_attr_get_payload_len(&attribute) != kKeySize) return std::nullopt;
  return std::span<const std::uint8_t, kKeySize>(
      static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute)), kKeySize);
}

PublicKey public_key(std::span<const std::uint8_t, kKeySize> bytes) {
  PublicKey key;
  std::ranges::copy(bytes, key.bytes.begin());
  return key;
}

Endpoint endpoint_of(const nlattr& attribute) {
  const std::size_t size = mnl_attr_get_payload_len(&attribute);
  io::SocketAddress address{};
  if (size > sizeof address.v6) return {};
  std::memcpy(&address.v6, mnl_attr_get_payload(&attribute), size);
  address.size = static_cast<socklen_t>(size);
  return io::to_endpoint(address);
}

std::optional<Cidr> allowed_ip_of(const nlattr& nest) {
  std::optional<IpAddress> address;
  std::uint8_t length = 0;
  io::for_each_nested(nest, [&](const nlattr& attribute) {
    const std::uint16_t type = mnl_attr_get_type(&attribute);
    if (type == WGALLOWEDIP_A_CIDR_MASK) read(attribute, length);
    if (type != WGALLOWEDIP_A_IPADDR) return;
    if (const auto v4 = value_of<in_addr>(attribute)) address = io::to_ip(*v4);
    if (const auto v6 = value_of<in6_addr>(attribute)) address = io::to_ip(*v6);
  });
  if (!address || length > address->bits()) return std::nullopt;
  return Cidr(*address, length);
}

void take_peer_attribute(const nlattr& attribute, protocol::PeerStatus& peer) {
  switch (mnl_attr_get_type(&attribute)) {
    case WGPEER_A_PRESHARED_KEY:
      if (const auto key = key_of(attribute)) peer.preshared_key = PresharedKey(*key);
      return;
    case WGPEER_A_ENDPOINT:
      peer.endpoint = endpoint_of(attribute);
      return;
    case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
      read(attribute, peer.persistent_keepalive_s);
      return;
    case WGPEER_A_LAST_HANDSHAKE_TIME:
      if (const auto time = value_of<__kernel_timespec>(attribute)) {
        peer.last_handshake = {time->tv_sec, static_cast<std::uint32_t>(time->tv_nsec)};
      }
      return;
    case WGPEER_A_RX_BYTES:
      read(attribute, peer.rx_bytes);
      return;
    case WGPEER_A_TX_BYTES:
      read(attribute, peer.tx_bytes);
      return;
    case WGPEER_A_ALLOWEDIPS:
      io::for_each_nested(attribute, [&](const nlattr& nest) {
        if (const auto cidr = allowed_ip_of(nest)) peer.allowed_ips.push_back(*cidr);
      });
      return;
    default:
      return;
  }
}

}  // namespace

void KernelAnswer::take(const nlmsghdr& message) {
  io::for_each_attribute(message, sizeof(genlmsghdr), [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case WGDEVICE_A_PRIVATE_KEY:
        if (const auto key = key_of(attribute)) device_.private_key.emplace(*key);
        return;
      case WGDEVICE_A_PUBLIC_KEY:
        if (const auto key = key_of(attribute)) device_.public_key = public_key(*key);
        return;
      case WGDEVICE_A_LISTEN_PORT:
        read(attribute, device_.listen_port);
        return;
      case WGDEVICE_A_FWMARK:
        read(attribute, device_.fwmark);
        return;
      case WGDEVICE_A_PEERS:
        io::for_each_nested(attribute, [&](const nlattr& peer) { take_peer(peer); });
        return;
      default:
        return;
    }
  });
}

void KernelAnswer::take_peer(const nlattr& nest) {
  std::optional<PublicKey> key;
  io::for_each_nested(nest, [&](const nlattr& attribute) {
    if (mnl_attr_get_type(&attribute) != WGPEER_A_PUBLIC_KEY) return;
    if (const auto bytes = key_of(attribute)) key = public_key(*bytes);
  });
  if (!key) return;
  std::vector<protocol::PeerStatus>& peers = device_.peers;
  if (peers.empty() || peers.back().public_key != *key) peers.emplace_back().public_key = *key;
  io::for_each_nested(
      nest, [&](const nlattr& attribute) { take_peer_attribute(attribute, peers.back()); });
}

}  // namespace ferrule::client
