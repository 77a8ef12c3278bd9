// From the name of a host to its address.
#pragma once

#include <optional>

#include "base/net.h"
#include "cli/command.h"
#include "control/values.h"

namespace ferrule::cli {

/// Looks up a host and its port. While the resolver says that it may know later, it is asked again,
/// WG_ENDPOINT_RESOLUTION_RETRIES times (15, or `infinity`), each after a longer wait. When nothing
/// comes of it, says so and returns nothing.
[[nodiscard]] std::optional<Endpoint> resolve(Console& console, const control::HostPort& host_port);

}  // namespace ferrule::cli
