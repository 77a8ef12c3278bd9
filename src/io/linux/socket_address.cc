#include "io/linux/socket_address.h"

#include <arpa/inet.h>

#include <cstring>

#include "base/check.h"

namespace ferrule::io {

IpAddress to_ip(const in_addr& address) noexcept {
  std::array<std::uint8_t, 4> bytes;
  std::memcpy(bytes.data(), &address, bytes.size());
  return IpAddress::v4(bytes);
}

IpAddress to_ip(const in6_addr& address) noexcept { return IpAddress::v6(address.s6_addr); }

in_addr to_in_addr(const IpAddress& address) noexcept {
  FERRULE_CHECK(address.family() == Family::v4);
  in_addr out;
  std::memcpy(&out, address.bytes().data(), sizeof out);
  return out;
}

in6_addr to_in6_addr(const IpAddress& address) noexcept {
  FERRULE_CHECK(address.family() == Family::v6);
  in6_addr out;
  std::memcpy(&out, address.bytes().data(), sizeof out);
  return out;
}

SocketAddress::SocketAddress(const Endpoint& endpoint) noexcept : v6{}, size(0) {
  if (endpoint.address.family() == Family::v4) {
    v4 = sockaddr_in{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    v4.sin_addr = to_in_addr(endpoint.address);
    size = sizeof v4;
    return;
  }
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  v6.sin6_addr = to_in6_addr(endpoint.address);
  v6.sin6_scope_id = endpoint.address.is_link_local() ? endpoint.scope_id : 0;
  size = sizeof v6;
}

Endpoint to_endpoint(const SocketAddress& address) noexcept {
  if (address.size >= sizeof(sockaddr_in) && address.any.sa_family == AF_INET) {
    return Endpoint{to_ip(address.v4.sin_addr), ntohs(address.v4.sin_port), 0};
  }
  if (address.size >= sizeof(sockaddr_in6) && address.any.sa_family == AF_INET6) {
    const IpAddress ip = to_ip(address.v6.sin6_addr).unmapped();
    const std::uint32_t scope = ip.is_link_local() ? address.v6.sin6_scope_id : 0;
    return Endpoint{ip, ntohs(address.v6.sin6_port), scope};
  }
  return {};
}

}  // namespace ferrule::io
