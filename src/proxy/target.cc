#include "proxy/target.h"

#include <algorithm>

#include "control/values.h"

namespace ferrule::proxy {

namespace {

constexpr std::size_t kMaxNameBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;

bool is_name_character(char c) noexcept {
  constexpr std::string_view kOthers = "-_";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != kOthers.npos;
}

}  // namespace

std::string Target::to_string() const {
  if (!name.empty()) return name + ':' + std::to_string(port);
  return Endpoint(address, port).to_string();
}

bool is_host_name(std::string_view text) noexcept {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxNameBytes) return false;
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, end);
    if (label.empty() || label.size() > kMaxLabelBytes) return false;
    if (!std::ranges::all_of(label, is_name_character)) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

std::optional<Target> make_target(std::string_view host, std::uint16_t port) {
  if (const auto address = IpAddress::parse(host)) return Target{"", address->unmapped(), port};
  if (!is_host_name(host)) return std::nullopt;
  return Target{std::string(host), {}, port};
}

std::optional<Target> parse_target(std::string_view text, std::optional<std::uint16_t> usual_port) {
  std::string_view host = text;
  std::string_view rest;
  const bool has_brackets = text.starts_with('[');
  if (has_brackets) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return std::nullopt;
  } else if (const std::size_t colon = text.find(':'); colon != text.npos) {
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  std::optional<std::uint16_t> port = usual_port;
  if (!rest.empty()) port = control::parse_decimal<std::uint16_t>(rest.substr(1));
  if (!port || *port == 0) return std::nullopt;
  const auto target = make_target(host, *port);
  const bool is_v6 = target && target->name.empty() && host.find(':') != host.npos;
  if (!target || is_v6 != has_brackets) return std::nullopt;
  return target;
}

}  // namespace ferrule::proxy
