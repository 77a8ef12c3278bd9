// The interface itself.
#pragma once

#include <cstdint>
#include <string>

#include "control/uapi_client.h"
#include "io/linux/network.h"
#include "quick/actions.h"

namespace ferrule::quick {

/// The actions on an interface that is there.
[[nodiscard]] Result<LinkActions> find_link(io::Network& network, const std::string& name);

/// The MTU that the tunnel's packets leave room for on the ways to these peers, or by the default
/// route, or as Ethernet has it.
[[nodiscard]] std::uint32_t automatic_mtu(io::Network& network,
                                          const control::DeviceStatus& device);

}  // namespace ferrule::quick
