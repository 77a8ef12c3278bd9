// Where the peers of a file are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/net.h"
#include "control/conf_configuration.h"
#include "files/listener.h"

namespace ferrule::files {

/// What a peer's Endpoint stands for: all its addresses, the best one first, or why there is none now.
struct PeerEndpoint {
  std::vector<Endpoint> addresses;
  std::string why_not;  // "": there are, or the file names no endpoint

  [[nodiscard]] std::optional<Endpoint> best() const {
    return addresses.empty() ? std::nullopt : std::optional(addresses.front());
  }
};

/// Of each peer of a configuration, in its order. Names are asked for as often as
/// WG_ENDPOINT_RESOLUTION_RETRIES says, if it says a number, else once. Addresses of a family by which
/// no route leads there come last.
[[nodiscard]] std::vector<PeerEndpoint> look_up_endpoints(
    Listener& listener, const control::Configuration& configuration);

}  // namespace ferrule::files
