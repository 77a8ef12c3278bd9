// Addresses as text, as inet_pton and inet_ntop of POSIX have them, on every system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ferrule {

/// "192.0.2.1": four decimal numbers without leading zeros. False leaves `out` undefined, here and below.
[[nodiscard]] bool parse_ipv4(std::string_view text, std::span<std::uint8_t, 4> out) noexcept;
/// Groups of up to four hexadecimal digits, at most one "::" for one or more groups of zeros, and perhaps an
/// IPv4 address in place of the last two groups (RFC 4291 §2.2).
[[nodiscard]] bool parse_ipv6(std::string_view text, std::span<std::uint8_t, 16> out) noexcept;

[[nodiscard]] std::string ipv4_text(std::span<const std::uint8_t, 4> bytes);
/// RFC 5952: lower case, no leading zeros, "::" for the first of the longest runs of at least two groups of
/// zeros. Addresses that hold an IPv4 address (::ffff:192.0.2.1, ::192.0.2.1) show it.
[[nodiscard]] std::string ipv6_text(std::span<const std::uint8_t, 16> bytes);

}  // namespace ferrule
