#include "control/endpoint_text.h"

#include <fmt/format.h>

namespace ferrule::control {

std::optional<Endpoint> parse_endpoint(std::string_view text, ScopeLookup scope_of) {
  if (auto endpoint = Endpoint::parse(text)) return endpoint;
  const std::size_t percent = text.find('%');
  const std::size_t bracket = text.find(']');
  if (percent == text.npos || bracket == text.npos || percent > bracket) return std::nullopt;
  const std::string name(text.substr(percent + 1, bracket - percent - 1));
  if (name.empty() || name.find('\0') != name.npos) return std::nullopt;
  const std::uint32_t scope_id = scope_of(name.c_str());
  if (scope_id == 0) return std::nullopt;
  return Endpoint::parse(
      fmt::format("{}%{}{}", text.substr(0, percent), scope_id, text.substr(bracket)));
}

std::string endpoint_text(const Endpoint& endpoint, ScopeName name_of) {
  const std::string name = endpoint.scope_id != 0 ? name_of(endpoint.scope_id) : std::string();
  if (name.empty()) return endpoint.to_string();
  return fmt::format("[{}%{}]:{}", endpoint.address.to_string(), name, endpoint.port);
}

}  // namespace ferrule::control
