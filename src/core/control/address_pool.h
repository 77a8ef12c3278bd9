// Addresses for new peers.
#pragma once

#include <optional>
#include <span>

#include "base/net.h"
#include "control/values.h"

namespace ferrule::control {

/// The lowest address of the network around `own` that is free: not `own`, within none of `taken`,
/// and neither the network's first address nor IPv4's last. Prefixes that hold the whole network do
/// not count as taken: they are routes to elsewhere. None when all are taken.
[[nodiscard]] std::optional<IpAddress> next_free_address(const InterfaceAddress& own,
                                                         std::span<const Cidr> taken);

}  // namespace ferrule::control
