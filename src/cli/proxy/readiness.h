// Telling others that all works.
#pragma once

#include <optional>

namespace ferrule::cli {

/// Writes a line to the descriptor and closes it; tells the service manager (sd_notify), if there is one.
void tell_ready(std::optional<int> ready_fd);

}  // namespace ferrule::cli
