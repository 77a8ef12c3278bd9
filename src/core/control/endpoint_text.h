// Endpoints whose scope goes by the name of its interface: [fe80::1%eth0]:51820, as wg writes them.
//
// This folder asks no system: who knows the interfaces passes if_nametoindex, or what tells a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/net.h"

namespace ferrule::control {

/// The index of the interface with this name, or 0 when there is none.
using ScopeLookup = std::uint32_t (*)(const char* interface_name);
/// The name of the interface with this index, or "" when there is none.
using ScopeName = std::string (*)(std::uint32_t interface_index);

/// Reads a numeric endpoint; a scope may be a number or a name.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text, ScopeLookup scope_of);

/// Writes an endpoint; a scope without a name stays a number.
[[nodiscard]] std::string endpoint_text(const Endpoint& endpoint, ScopeName name_of);

}  // namespace ferrule::control
