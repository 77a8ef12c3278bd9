// From a configuration file to what is asked of a device.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "control/conf_configuration.h"
#include "control/uapi_client.h"
#include "files/listener.h"
#include "files/peer_endpoints.h"
#include "protocol/configuration.h"

namespace ferrule::files {

/// What the file says. Keys and allowed IPs move out of the configuration. The names of hosts are
/// looked up; fails with why nothing came of that.
[[nodiscard]] std::expected<protocol::DeviceChange, std::string> take_change(
    Listener& listener, control::Configuration& configuration);
/// The same where it is known where the peers are: one that nobody knows of gets no endpoint.
[[nodiscard]] protocol::DeviceChange take_change(control::Configuration& configuration,
                                                 const std::vector<PeerEndpoint>& endpoints);

/// What the file does not name goes back to nothing.
void replace_all(protocol::DeviceChange& change);

/// Instead of replacing all peers, removes those that the file does not have, and takes from the
/// others what they have and the file does not. So their sessions live on.
void keep_peers(protocol::DeviceChange& change, const control::DeviceStatus& device);

}  // namespace ferrule::files
