// Where a device's sockets are to be, as people, files and the configuration socket write it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/local_place.h"

namespace ferrule::control {

/// Own addresses to bind to: one, or one of each family behind a comma. "": none, which is all.
[[nodiscard]] std::optional<LocalAddresses> parse_bind(std::string_view text) noexcept;
constexpr std::string_view kBindExpected =
    "an address of this machine, or an IPv4 and an IPv6 one with a comma between";
/// The other way round.
[[nodiscard]] std::string bind_text(const LocalAddresses& addresses);

/// Whether a system could call an interface so: 1 to 15 bytes without space, '/', ':' and such.
[[nodiscard]] bool is_link_name(std::string_view name) noexcept;

}  // namespace ferrule::control
