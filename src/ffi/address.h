// Addresses as C has them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/net.h"
#include "ferrule.h"

namespace ferrule::ffi {

[[nodiscard]] inline IpAddress ip_of(const ferrule_address& address) noexcept {
  const std::span<const std::uint8_t, 16> bytes(address.address);
  if (address.family == 4) return IpAddress::v4(bytes.first<4>());
  return address.family == 6 ? IpAddress::v6(bytes) : IpAddress();
}
/// A mapped IPv4 address is IPv4 (P75a).
[[nodiscard]] inline Endpoint endpoint_of(const ferrule_address& address) noexcept {
  const IpAddress ip = ip_of(address).unmapped();
  return {ip, address.port, ip.is_link_local() ? address.scope : 0};
}
[[nodiscard]] inline Source source_of(const ferrule_address& address) noexcept {
  return {ip_of(address).unmapped(), address.scope};
}

[[nodiscard]] inline ferrule_address address_of(const IpAddress& ip, std::uint16_t port,
                                                std::uint32_t scope) noexcept {
  ferrule_address address{};
  if (ip.family() == Family::none) return address;
  address.family = ip.family() == Family::v4 ? 4 : 6;
  address.port = port;
  address.scope = scope;
  const Bytes bytes = ip.bytes();
  std::copy(bytes.begin(), bytes.end(), address.address);
  return address;
}
[[nodiscard]] inline ferrule_address address_of(const Endpoint& endpoint) noexcept {
  return address_of(endpoint.address, endpoint.port, endpoint.scope_id);
}
[[nodiscard]] inline ferrule_address address_of(const Source& source) noexcept {
  return address_of(source.address, 0, source.interface_index);
}

}  // namespace ferrule::ffi
