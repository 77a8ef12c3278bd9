// The interface itself.
#pragma once

#include <cstdint>
#include <string>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "io/linux/network.h"
#include "quick/actions.h"
#include "quick/failure.h"

namespace ferrule::quick {

/// The actions on an interface that is there.
[[nodiscard]] Result<LinkActions> find_link(io::Network& network, const std::string& name);

/// The device of this name, or why there is none, with what is there.
[[nodiscard]] Attempt<control::DeviceStatus> get_device(client::DeviceClient& devices,
                                                        const std::string& name);

/// Deletes the interface, and waits until its daemon, which ends by itself then, is gone too: whoever
/// brings it up again at once must not meet the old one. The devices outlive the action.
[[nodiscard]] Action delete_link_with_daemon(const LinkActions& link,
                                             client::DeviceClient& devices);
/// The latter alone, for a while.
void wait_for_end_of_daemon(client::DeviceClient& devices, const std::string& interface);

/// The MTU that the tunnel's packets leave room for on the ways to these peers, or by the default
/// route, or as Ethernet has it.
[[nodiscard]] std::uint32_t automatic_mtu(io::Network& network,
                                          const control::DeviceStatus& device);

}  // namespace ferrule::quick
