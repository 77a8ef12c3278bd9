// Endpoints as the kernel writes them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

#include "base/net.h"

namespace ferrule::io {

/// Room for an IPv4 or IPv6 socket address, with its length. Value type.
struct SocketAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size;

  /// Not initialised: arrays of them wait for the kernel. `SocketAddress{}` is of no family.
  SocketAddress() = default;
  /// `endpoint` is not none. The scope id goes along for link-local addresses only (P75a), and the
  /// flow label is 0 (P76a).
  explicit SocketAddress(const Endpoint& endpoint) noexcept;
};

/// The endpoint that a kernel-filled address names: never IPv4-mapped, a scope id on link-local
/// addresses only (P75a); none for another family or too short a size.
[[nodiscard]] Endpoint to_endpoint(const SocketAddress& address) noexcept;

[[nodiscard]] IpAddress to_ip(const in_addr& address) noexcept;
[[nodiscard]] IpAddress to_ip(const in6_addr& address) noexcept;
/// `address` is of the family that is asked for.
[[nodiscard]] in_addr to_in_addr(const IpAddress& address) noexcept;
[[nodiscard]] in6_addr to_in6_addr(const IpAddress& address) noexcept;

}  // namespace ferrule::io
