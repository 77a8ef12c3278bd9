// Addresses as values: IP addresses, endpoints, the local source of a datagram, and prefixes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ferrule {

enum class Family : std::uint8_t { none, v4, v6 };

/// An IPv4 or IPv6 address in network byte order, or none. Value type.
/// An IPv4-mapped IPv6 address is a v6 address here: `unmapped()` makes it v4 (P75a).
class IpAddress {
 public:
  constexpr IpAddress() noexcept = default;
  static IpAddress v4(std::span<const std::uint8_t, 4> bytes) noexcept;
  static IpAddress v6(std::span<const std::uint8_t, 16> bytes) noexcept;
  /// Numeric text, without brackets, port or scope: "192.0.2.1", "2001:db8::1".
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text) noexcept;

  [[nodiscard]] constexpr Family family() const noexcept { return family_; }
  /// 0, 4 or 16 bytes.
  [[nodiscard]] Bytes bytes() const noexcept;
  /// 0, 32 or 128.
  [[nodiscard]] constexpr unsigned bits() const noexcept {
    return family_ == Family::v4 ? 32 : family_ == Family::v6 ? 128 : 0;
  }
  [[nodiscard]] IpAddress unmapped() const noexcept;
  [[nodiscard]] bool is_link_local() const noexcept;  // fe80::/10
  [[nodiscard]] std::string to_string() const;        // "" for none

  constexpr auto operator<=>(const IpAddress&) const noexcept = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};  // v4 uses the first four; the rest stay zero
  Family family_ = Family::none;
};

/// How datagrams go to an endpoint. Others than UDP are the outer door's, who brings them, to number.
enum class Transport : std::uint8_t { udp = 0 };

/// Where a peer is: address and UDP port. `scope_id` is an interface index, kept for link-local IPv6
/// addresses only (P75a). Value type; none when its address is.
struct Endpoint {
  IpAddress address;
  Transport transport = Transport::udp;  // fills what would be padding
  std::uint16_t port = 0;                // host byte order
  std::uint32_t scope_id = 0;

  Endpoint() noexcept = default;
  Endpoint(const IpAddress& where, std::uint16_t at, std::uint32_t scope = 0,
           Transport how = Transport::udp) noexcept
      : address(where), transport(how), port(at), scope_id(scope) {}

  [[nodiscard]] bool is_none() const noexcept { return address.family() == Family::none; }
  /// "1.2.3.4:5", "[::1]:5" or "[fe80::1%2]:5".
  [[nodiscard]] static std::optional<Endpoint> parse(std::string_view text) noexcept;
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Endpoint&) const noexcept = default;
};

static_assert(sizeof(Endpoint) == 24);

/// The local side of a received datagram: the address it came to and the interface it came in by.
/// None (no address) lets the system choose when sending (P75).
struct Source {
  IpAddress address;
  std::uint32_t interface_index = 0;

  [[nodiscard]] bool is_none() const noexcept { return address.family() == Family::none; }
  auto operator<=>(const Source&) const noexcept = default;
};

/// An IP prefix. Host bits are always zero (P90). Value type.
class Cidr {
 public:
  Cidr() noexcept = default;
  /// `prefix_length` up to address.bits(); host bits are masked off.
  Cidr(const IpAddress& address, unsigned prefix_length) noexcept;
  /// "10.0.0.0/8", or an address alone, which means its full length.
  [[nodiscard]] static std::optional<Cidr> parse(std::string_view text) noexcept;

  [[nodiscard]] const IpAddress& address() const noexcept { return address_; }
  [[nodiscard]] unsigned length() const noexcept { return length_; }
  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Cidr&) const noexcept = default;

 private:
  IpAddress address_;
  std::uint8_t length_ = 0;
};

}  // namespace ferrule
