// Values as people write them, in files and on the command line.
//
// What wg accepts is accepted, but for numbers: they are digits (and 0x for a mark), and ports end
// at 65535, where wg wraps around. White space is the caller's to remove.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/net.h"
#include "protocol/configuration.h"

namespace ferrule::control {

/// Digits only, at least one, no more than fit.
template <class T>
[[nodiscard]] std::optional<T> parse_decimal(std::string_view text) noexcept {
  T value{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// "off", a decimal number, or 0x and hex digits.
[[nodiscard]] std::optional<std::uint32_t> parse_fwmark(std::string_view text) noexcept;

/// "off", or a number of seconds up to 65535.
[[nodiscard]] std::optional<std::uint16_t> parse_keepalive(std::string_view text) noexcept;

/// Where a peer is, to be resolved: a name or a numeric address (without brackets; an IPv6 address
/// may have a scope), and a port or the name of a service. Value type.
struct HostPort {
  std::string host;
  std::string service;
  [[nodiscard]] bool operator==(const HostPort&) const = default;
};

/// "host:port" or "[host]:port". A name is not looked up.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

/// One allowed IP: an address with or without a prefix length. A leading '-' takes it away and a '+'
/// adds it to those that there are.
struct AllowedIpText {
  protocol::AllowedIpChange change;
  bool incremental = false;    // had a sign: the peer's other allowed IPs stay
  bool has_host_bits = false;  // which were masked off
};
[[nodiscard]] std::optional<AllowedIpText> parse_allowed_ip(std::string_view text) noexcept;

/// An address of an interface and its prefix length: host bits stay. Value type.
struct InterfaceAddress {
  IpAddress address;
  unsigned prefix_length = 0;
  [[nodiscard]] bool operator==(const InterfaceAddress&) const = default;
};
[[nodiscard]] std::optional<InterfaceAddress> parse_interface_address(
    std::string_view text) noexcept;

}  // namespace ferrule::control
