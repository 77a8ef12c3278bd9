#include "control/values.h"

#include <algorithm>

namespace ferrule::control {

namespace {

bool is_off(std::string_view text) {
  return std::ranges::equal(text, std::string_view("off"),
                            [](char a, char b) { return (a | 0x20) == b; });
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::uint32_t> parse_fwmark(std::string_view text) noexcept {
  if (is_off(text)) return 0;
  if (!text.starts_with("0x")) return parse_decimal<std::uint32_t>(text);
  std::uint32_t mark = 0;
  const char* begin = text.data() + 2;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, mark, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return mark;
}

std::optional<std::uint16_t> parse_keepalive(std::string_view text) noexcept {
  if (is_off(text)) return 0;
  return parse_decimal<std::uint16_t>(text);
}

std::optional<HostPort> parse_host_port(std::string_view text) {
  std::string_view host;
  std::string_view service;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == text.npos || !text.substr(bracket + 1).starts_with(':')) return std::nullopt;
    host = text.substr(1, bracket - 1);
    service = text.substr(bracket + 2);
  } else {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    host = text.substr(0, colon);
    service = text.substr(colon + 1);
  }
  if (host.empty() || service.empty()) return std::nullopt;
  if (is_digits(service) && !parse_decimal<std::uint16_t>(service)) return std::nullopt;
  return HostPort{std::string(host), std::string(service)};
}

std::optional<AllowedIpText> parse_allowed_ip(std::string_view text) noexcept {
  AllowedIpText ip;
  if (text.starts_with('-') || text.starts_with('+')) {
    ip.incremental = true;
    ip.change.remove = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto whole = parse_interface_address(text);
  if (!whole) return std::nullopt;
  ip.change.cidr = Cidr(whole->address, whole->prefix_length);
  ip.has_host_bits = ip.change.cidr.address() != whole->address;
  return ip;
}

std::optional<InterfaceAddress> parse_interface_address(std::string_view text) noexcept {
  const auto cidr = Cidr::parse(text);
  const auto address = IpAddress::parse(text.substr(0, text.find('/')));
  if (!cidr || !address) return std::nullopt;
  return InterfaceAddress{*address, cidr->length()};
}

}  // namespace ferrule::control
