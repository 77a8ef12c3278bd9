// What would be there after steps that a dry run tells of and does not take.
#pragma once

#include <cstdint>
#include <vector>

#include "control/uapi_client.h"
#include "io/linux/network.h"
#include "protocol/configuration.h"

namespace ferrule::quick {

/// A fresh device after a change: its mark, and of each peer where it is and what it may send. No keys
/// but public ones.
[[nodiscard]] control::DeviceStatus status_after(const protocol::DeviceChange& change);

/// The routes in the main table that the kernel makes for addresses of a link.
[[nodiscard]] std::vector<io::LinkRoute> routes_of_kernel(
    const std::vector<io::LinkAddress>& addresses, std::uint32_t link_index);

/// What of a link's addresses is left when some are deleted, each after the other: with the first one of
/// an IPv4 network go its others, where `promotes` (sysctl promote_secondaries) does not say otherwise.
[[nodiscard]] std::vector<io::LinkAddress> addresses_after(
    std::vector<io::LinkAddress> addresses, const std::vector<io::LinkAddress>& deleted,
    bool promotes);

/// Of routes into a link, those that are left when its addresses have changed, with those that the kernel
/// makes for new ones.
[[nodiscard]] std::vector<io::LinkRoute> routes_after(const std::vector<io::LinkRoute>& routes,
                                                      const std::vector<io::LinkAddress>& before,
                                                      const std::vector<io::LinkAddress>& after,
                                                      std::uint32_t link_index);

}  // namespace ferrule::quick
