#include "control/value_mistakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace ferrule::control {

namespace {

constexpr std::size_t kLongestLabel = 63;  // RFC 1035 §2.3.4
constexpr std::size_t kLongestName = 253;
constexpr std::string_view kExample = "HOST:PORT is wanted, like vpn.example.com:51820";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

// Letters of other scripts too: what becomes of them is the resolver's business.
bool is_in_names(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::vector<std::string_view> labels_of(std::string_view name) {
  std::vector<std::string_view> labels;
  while (true) {
    const std::size_t dot = name.find('.');
    labels.push_back(name.substr(0, dot));
    if (dot == name.npos) return labels;
    name.remove_prefix(dot + 1);
  }
}

bool is_domain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kLongestName) return false;
  return std::ranges::all_of(labels_of(name), [](std::string_view label) {
    return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
           label.back() != '-' && std::ranges::all_of(label, is_in_names);
  });
}

std::optional<std::uint32_t> parse_part(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// As resolvers have always read what looks like a number: up to four parts, in octal after a zero, the
// last of which fills what is left.
std::optional<IpAddress> parse_as_number(std::string_view host) {
  const std::vector<std::string_view> parts = labels_of(host);
  if (parts.size() > 4) return std::nullopt;
  std::uint64_t address = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = parse_part(parts[i]);
    const bool is_last = i + 1 == parts.size();
    const std::size_t bits = is_last ? 8 * (5 - parts.size()) : 8;
    if (!part || std::uint64_t{*part} >> bits != 0) return std::nullopt;
    address = address << bits | *part;
  }
  const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(address >> shift); };
  return IpAddress::v4(std::array{byte(24), byte(16), byte(8), byte(0)});
}

bool is_like_a_number(std::string_view host) {
  return !host.empty() && std::ranges::all_of(labels_of(host), [](std::string_view label) {
    return is_digits(label) || label.empty() || parse_part(label);
  });
}

std::optional<IpAddress> parse_with_scope(std::string_view host) {
  return IpAddress::parse(host.substr(0, host.find('%')));
}

bool is_v6(std::string_view host) {
  const auto address = parse_with_scope(host);
  return address && address->family() == Family::v6;
}

// A host and a port, before they are known to be any.
struct Halves {
  std::string_view host;
  std::string_view port;
};

Halves halves_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, text.substr(colon + 1)};
}

std::optional<std::string> port_mistake(std::string_view port) {
  if (port.empty()) return "there is no port behind the `:'";
  if (is_digits(port)) {
    if (parse_decimal<std::uint16_t>(port)) return std::nullopt;
    return fmt::format("{} is no port: they end at 65535", port);
  }
  const bool is_name =
      std::ranges::any_of(port, is_letter) && std::ranges::all_of(port, [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '_';
      });
  if (is_name) return std::nullopt;
  return fmt::format("`{}' is no port: a number is wanted, and nothing behind it", port);
}

std::optional<std::string> host_mistake(std::string_view host) {
  if (host.empty()) return fmt::format("there is no host: {}", kExample);
  if (parse_with_scope(host)) return std::nullopt;
  if (host.find(':') != host.npos) return fmt::format("`{}' is no IPv6 address", host);
  if (host.find('/') != host.npos) {
    return fmt::format("`{}' has a `/' in it: an endpoint has no path and no prefix length", host);
  }
  if (is_like_a_number(host)) {
    if (parse_as_number(host)) return std::nullopt;
    return fmt::format("`{}' is no IPv4 address", host);
  }
  if (is_domain(host)) return std::nullopt;
  return fmt::format("`{}' is no name that a host can have", host);
}

std::optional<std::string> bracket_mistake(std::string_view text) {
  const std::size_t bracket = text.find(']');
  if (bracket == text.npos) return "the bracket is not closed: expected [ADDRESS]:PORT";
  if (bracket + 1 == text.size()) return fmt::format("there is no port: {}:51820", text);
  if (text[bracket + 1] != ':') return "expected a `:' and a port behind the bracket";
  if (text.find(':', bracket + 2) != text.npos) return "there are two ports";
  return std::nullopt;
}

std::optional<std::string> colon_mistake(std::string_view text) {
  const auto colons = std::ranges::count(text, ':');
  if (colons == 0) return fmt::format("there is no port: {}:51820", text);
  if (colons == 1 || is_v6(halves_of(text).host)) return std::nullopt;
  if (is_v6(text)) {
    return fmt::format("an IPv6 address stands in brackets, with a port behind it: [{}]:51820",
                       text);
  }
  return fmt::format("there is more than one `:': {}", kExample);
}

bool is_multicast(const IpAddress& address) {
  const std::uint8_t first = address.bytes()[0];
  return address.family() == Family::v4 ? first >= 224 && first < 240 : first == 0xFF;
}
bool is_reserved(const IpAddress& address) {
  return address.family() == Family::v4 && address.bytes()[0] >= 240;
}
bool is_none(const IpAddress& address) {
  return std::ranges::all_of(address.bytes(), [](std::uint8_t byte) { return byte == 0; });
}
bool is_loopback(const IpAddress& address) {
  if (address.family() == Family::v4) return address.bytes()[0] == 127;
  return address == IpAddress::parse("::1");
}

// What no machine has as its address; "" for others.
std::string_view why_nobodys(const IpAddress& address) {
  if (is_none(address)) return "means any address, and none in particular";
  if (is_multicast(address)) return "is a multicast address";
  if (is_reserved(address)) return "is an address that no machine has";
  return "";
}

std::optional<Doubt> host_doubt(std::string_view host) {
  const auto address = parse_with_scope(host);
  if (!address) {
    if (!is_like_a_number(host)) return std::nullopt;
    return Doubt{false, fmt::format("`{}' is read as {}: a part that begins with 0 is octal, and "
                                    "missing parts are filled",
                                    host, parse_as_number(host)->to_string())};
  }
  if (const std::string_view why = why_nobodys(*address); !why.empty()) {
    return Doubt{true, fmt::format("{} {}", address->to_string(), why)};
  }
  if (address->is_link_local() && host.find('%') == host.npos) {
    return Doubt{true, fmt::format("{0} is on every link: say on which, like [{0}%eth0]:PORT",
                                   address->to_string())};
  }
  return std::nullopt;
}

// A mask in place of an address: ones, then zeros.
bool is_netmask(const IpAddress& address) {
  if (address.family() != Family::v4 || address.bytes()[0] != 255) return false;
  std::uint32_t bits = 0;
  for (const std::uint8_t byte : address.bytes()) bits = bits << 8 | byte;
  const std::uint32_t zeros = ~bits;
  return (zeros & (zeros + 1)) == 0;
}

// First and last address of a network belong to it as a whole; where there are but two, to nobody.
std::optional<Doubt> network_doubt(const InterfaceAddress& own) {
  const Cidr network(own.address, own.prefix_length);
  if (own.address.bits() - own.prefix_length < 2) return std::nullopt;
  if (network.address() == own.address) {
    return Doubt{
        false, fmt::format("{} is the network itself, and no machine in it", network.to_string())};
  }
  if (own.address.family() != Family::v4) return std::nullopt;
  std::uint32_t host = 0;
  for (const std::uint8_t byte : own.address.bytes()) host = host << 8 | byte;
  const std::uint32_t mask = 0xFFFFFFFFu >> own.prefix_length;
  if ((host & mask) != mask) return std::nullopt;
  return Doubt{false, fmt::format("{} is the broadcast address of {}", own.address.to_string(),
                                  network.to_string())};
}

// People write what other programs take here.
constexpr std::array<std::string_view, 12> kNoDomains{
    "auto", "none", "off", "on", "no", "yes", "dhcp", "system", "default", "true", "false", "null"};

bool is_same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b,
                            [](char x, char y) { return (is_letter(x) ? x | 0x20 : x) == y; });
}

}  // namespace

std::optional<std::string> endpoint_mistake(std::string_view text) {
  if (text.empty()) return fmt::format("there is none: {}", kExample);
  if (const std::size_t scheme = text.find("://"); scheme != text.npos) {
    return fmt::format("`{}' does not belong here: {}", text.substr(0, scheme + 3), kExample);
  }
  if (text.find_first_of("\"'`") != text.npos) return "quotes do not belong here";
  if (text.find('@') != text.npos) {
    return fmt::format("there are no users here, so no `@': {}", kExample);
  }
  auto mistake = text.starts_with('[') ? bracket_mistake(text) : colon_mistake(text);
  if (mistake) return mistake;
  const Halves halves = halves_of(text);
  mistake = host_mistake(halves.host);
  return mistake ? mistake : port_mistake(halves.port);
}

std::optional<Doubt> endpoint_doubt(std::string_view text) {
  const Halves halves = halves_of(text);
  if (auto doubt = host_doubt(halves.host)) return doubt;
  if (parse_decimal<std::uint16_t>(halves.port) == 0) {
    return Doubt{true, "port 0 is nobody's: nothing can be sent to it"};
  }
  if (!is_digits(halves.port)) {
    return Doubt{false, fmt::format("`{}' is the name of a port, which not every machine knows: a "
                                    "number is safer",
                                    halves.port)};
  }
  if (!text.starts_with('[') && halves.host.find(':') != halves.host.npos) {
    return Doubt{false, fmt::format("without brackets this means [{}]:{}: write it so", halves.host,
                                    halves.port)};
  }
  return std::nullopt;
}

std::expected<std::string, std::string> complete_endpoint(std::string_view text,
                                                          std::uint16_t port) {
  std::string whole(text);
  const bool is_bare_v6 = is_v6(text) && IpAddress::parse(text).has_value();
  const bool has_port = !text.ends_with(']') && text.find(':') != text.npos && !is_bare_v6;
  if (is_bare_v6) whole = fmt::format("[{}]:{}", text, port);
  if (!is_bare_v6 && !has_port && !text.empty()) whole = fmt::format("{}:{}", text, port);
  if (auto mistake = endpoint_mistake(whole)) return std::unexpected(std::move(*mistake));
  if (!has_port && port == 0) {
    return std::unexpected(fmt::format("no port is known for it: {}:PORT", text));
  }
  auto doubt = endpoint_doubt(whole);
  if (doubt && doubt->is_error) return std::unexpected(std::move(doubt->what));
  return whole;
}

std::optional<std::string> dns_mistake(std::string_view text) {
  if (IpAddress::parse(text)) return std::nullopt;
  const std::string_view address = text.substr(0, text.find('/'));
  if (address.size() < text.size() && IpAddress::parse(address)) {
    return fmt::format("a name server has no prefix length: {}", address);
  }
  if (text.find_first_of("\"'`") != text.npos) return "quotes do not belong here";
  if (text.find("://") != text.npos) {
    return fmt::format("`{}': only plain DNS can be set here, by address", text);
  }
  if (text.find(':') != text.npos || is_like_a_number(text)) {
    return fmt::format("expected an address or a domain, and `{}' is neither", text);
  }
  const bool is_mode = std::ranges::any_of(
      kNoDomains, [&](std::string_view word) { return is_same_word(text, word); });
  if (is_mode) {
    return fmt::format(
        "`{}' would be a domain to search in, and no name server would be set: "
        "expected an address, or no DNS at all",
        text);
  }
  // A tilde makes a domain of systemd-resolved's one that its names are asked for here.
  const std::string_view domain = text.starts_with('~') ? text.substr(1) : text;
  if (domain == "." || is_domain(domain)) return std::nullopt;
  return fmt::format("expected an address or a domain, and `{}' is neither", text);
}

std::optional<Doubt> dns_doubt(const IpAddress& server) {
  const std::string_view why = why_nobodys(server);
  if (why.empty()) return std::nullopt;
  return Doubt{true, fmt::format("{} {}", server.to_string(), why)};
}

std::optional<Doubt> address_doubt(const InterfaceAddress& own) {
  const std::string text = own.address.to_string();
  if (is_netmask(own.address)) {
    return Doubt{true,
                 fmt::format("{} is a netmask: a prefix length goes right behind the address, "
                             "like 10.0.0.1/24",
                             text)};
  }
  if (const std::string_view why = why_nobodys(own.address); !why.empty()) {
    return Doubt{true, fmt::format("{} {}", text, why)};
  }
  if (is_loopback(own.address)) {
    return Doubt{true, fmt::format("{} is every machine's own, on its loopback interface", text)};
  }
  if (own.prefix_length == 0) {
    return Doubt{true, fmt::format("{}/0: the whole Internet would be in this network; /{} is one "
                                   "address",
                                   text, own.address.bits())};
  }
  return network_doubt(own);
}

std::optional<Doubt> allowed_ip_doubt(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address || !is_none(*address)) return std::nullopt;
  return Doubt{
      false, fmt::format("{0} alone is one address, which nobody has; everything is {0}/0", text)};
}

}  // namespace ferrule::control
