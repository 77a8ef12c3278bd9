// Who has a UDP port.
#pragma once

#include <cstdint>
#include <string>

#include "base/local_place.h"

namespace ferrule::diagnosis {

struct PortState {
  bool is_bound = false;
  std::string other_owner;  // "nginx (pid 12)": somebody beside the daemon
};

/// Looks at the port of the daemon that has the configuration socket of `interface`, at `addresses` and where
/// all addresses are taken; empty: everywhere. Who cannot look into other processes finds no owner.
[[nodiscard]] PortState look_at_port(std::uint16_t port, const std::string& interface,
                                     const LocalAddresses& addresses = {});

}  // namespace ferrule::diagnosis
