// What a host's name stands for, asked once.
#pragma once

#include <string>
#include <vector>

#include "base/net.h"

namespace ferrule::files {

/// The addresses of a host, in the order in which they would be tried; none when it has none, or
/// nobody knows now. Numeric hosts ask nobody. With `numeric_only` names have no address.
[[nodiscard]] std::vector<IpAddress> look_up(const std::string& host, bool numeric_only = false);

}  // namespace ferrule::files
