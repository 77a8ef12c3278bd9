// What a flood is made of.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/keys.h"

namespace ferrule::flood {

using Message = std::vector<std::uint8_t>;

/// Initiations with a right mac1 and nothing else: what anybody can make who knows the daemon's public
/// key. Opening one costs the daemon a DH.
[[nodiscard]] std::vector<Message> strangers_initiations(const PublicKey& daemon);
/// Bytes without meaning, of all lengths up to a full datagram; some begin as WireGuard's messages do.
[[nodiscard]] std::vector<Message> junk();

}  // namespace ferrule::flood
