#include "base/net.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/ip_text.h"

namespace ferrule {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Digits only, at least one, and at most `max`: no sign, no space, nothing behind.
template <class T>
std::optional<T> parse_decimal(std::string_view text, T max) noexcept {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > max) return std::nullopt;
  return value;
}

}  // namespace

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> bytes) noexcept {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  address.family_ = Family::v4;
  return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> bytes) noexcept {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  address.family_ = Family::v6;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  IpAddress address;
  const std::span<std::uint8_t, 16> bytes(address.bytes_);
  const bool is_v6 = text.find(':') != text.npos;
  if (!(is_v6 ? parse_ipv6(text, bytes) : parse_ipv4(text, bytes.first<4>()))) return std::nullopt;
  address.family_ = is_v6 ? Family::v6 : Family::v4;
  return address;
}

Bytes IpAddress::bytes() const noexcept { return Bytes(bytes_.data(), bits() / 8); }

IpAddress IpAddress::unmapped() const noexcept {
  if (family_ != Family::v6) return *this;
  if (!std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin())) return *this;
  return v4(std::span<const std::uint8_t, 16>(bytes_).last<4>());
}

bool IpAddress::is_link_local() const noexcept {
  return family_ == Family::v6 && bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
  const std::span<const std::uint8_t, 16> bytes(bytes_);
  if (family_ == Family::v4) return ipv4_text(bytes.first<4>());
  return family_ == Family::v6 ? ipv6_text(bytes) : std::string();
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) noexcept {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1), UINT16_MAX);
  if (!port) return std::nullopt;

  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::uint32_t scope_id = 0;
  if (const std::size_t percent = host.find('%'); bracketed && percent != host.npos) {
    const auto scope = parse_decimal<std::uint32_t>(host.substr(percent + 1), UINT32_MAX);
    if (!scope) return std::nullopt;
    scope_id = *scope;
    host = host.substr(0, percent);
  }

  const auto address = IpAddress::parse(host);
  if (!address || (address->family() == Family::v6) != bracketed) return std::nullopt;
  // P75a: the v6 socket is v6-only, so that a mapped address can be reached as IPv4 alone.
  return Endpoint{address->unmapped(), *port, address->is_link_local() ? scope_id : 0};
}

std::string Endpoint::to_string() const {
  if (is_none()) return {};
  std::string text = address.to_string();
  if (address.family() == Family::v6) {
    if (scope_id != 0) text += '%' + std::to_string(scope_id);
    text = '[' + text + ']';
  }
  return text + ':' + std::to_string(port);
}

Cidr::Cidr(const IpAddress& address, unsigned prefix_length) noexcept
    : length_(static_cast<std::uint8_t>(prefix_length)) {
  FERRULE_CHECK(prefix_length <= address.bits());
  std::array<std::uint8_t, 16> masked{};
  const std::size_t whole = prefix_length / 8;
  std::copy_n(address.bytes().begin(), whole, masked.begin());
  if (const unsigned rest = prefix_length % 8; rest != 0) {
    masked[whole] = static_cast<std::uint8_t>(address.bytes()[whole] & (0xff00u >> rest));
  }
  const std::span<const std::uint8_t, 16> bytes(masked);
  if (address.family() == Family::v4) address_ = IpAddress::v4(bytes.first<4>());
  if (address.family() == Family::v6) address_ = IpAddress::v6(bytes);
}

std::optional<Cidr> Cidr::parse(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == text.npos) return Cidr(*address, address->bits());
  const auto length = parse_decimal<unsigned>(text.substr(slash + 1), address->bits());
  if (!length) return std::nullopt;
  return Cidr(*address, *length);
}

bool Cidr::contains(const IpAddress& address) const noexcept {
  if (address.family() != address_.family() || address.family() == Family::none) return false;
  return Cidr(address, length_).address_ == address_;
}

std::string Cidr::to_string() const {
  if (address_.family() == Family::none) return {};
  return address_.to_string() + '/' + std::to_string(length_);
}

}  // namespace ferrule
