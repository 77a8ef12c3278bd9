// What a change would change.
#pragma once

#include <string>
#include <vector>

#include "control/uapi_client.h"
#include "protocol/configuration.h"

namespace ferrule::cli {

/// Leaves in a change only what makes the device another, and says what that is, a line for each thing.
/// An allowed IP that several peers of the change have stays with the last of them, as it would on
/// the device.
[[nodiscard]] std::vector<std::string> keep_differences(protocol::DeviceChange& change,
                                                        const control::DeviceStatus& device);

}  // namespace ferrule::cli
