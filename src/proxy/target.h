// Where a client wants to go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/net.h"

namespace ferrule::proxy {

/// A name or an address, and a port. Value type.
struct Target {
  std::string name;  // "": the address counts
  IpAddress address;
  std::uint16_t port = 0;

  [[nodiscard]] std::string to_string() const;
  bool operator==(const Target&) const = default;
};

/// Whether a text can be the name of a host: labels of 1 to 63 printable characters that mean nothing in
/// URLs, up to 253 in all; a dot may end it.
[[nodiscard]] bool is_host_name(std::string_view text) noexcept;

/// A name or an address without brackets; an IPv4-mapped address is one of IPv4.
[[nodiscard]] std::optional<Target> make_target(std::string_view host, std::uint16_t port);
/// "host:port" or "[address]:port"; the port may be missing where there is a usual one.
[[nodiscard]] std::optional<Target> parse_target(std::string_view text,
                                                 std::optional<std::uint16_t> usual_port = {});

}  // namespace ferrule::proxy
