// The interfaces that scopes of link-local addresses name.
#pragma once

#include <cstdint>
#include <string>

#include "base/net.h"

namespace ferrule::client {

/// The index of the interface with this name, or 0.
[[nodiscard]] std::uint32_t scope_of(const char* interface_name);
/// The name of the interface with this index, or "".
[[nodiscard]] std::string scope_name(std::uint32_t interface_index);
/// As wg shows it.
[[nodiscard]] std::string text_of(const Endpoint& endpoint);

}  // namespace ferrule::client
