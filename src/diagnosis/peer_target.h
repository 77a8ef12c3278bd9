// A peer by its name, and an address of it to send to.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "base/net.h"
#include "client/device_client.h"

namespace ferrule::diagnosis {

struct PeerTarget {
  std::string interface;
  std::string peer;  // its name, or its key
  IpAddress address;
  bool is_guess = false;  // the first address of a network of it
  std::uint32_t mtu_bytes = 0;
};

/// Finds the peer of this name or key, and an address that is its own: of an allowed IP that is one address,
/// else the first of a network that it has. `family`: none takes either. Else why there is none, for people.
[[nodiscard]] std::expected<PeerTarget, std::string> find_target(
    client::DeviceClient& devices, const std::string& interface_or_path, const std::string& peer,
    Family family = Family::none);

}  // namespace ferrule::diagnosis
