// Capabilities of the process, as capabilities(7) has them.
#pragma once

#include "base/error.h"

namespace ferrule::daemon {

/// Keeps what the running daemon may want at any time (see the .cc), where the process has it, and
/// nothing else that it or a program started by it could ever use.
[[nodiscard]] Result<void> drop_capabilities();

}  // namespace ferrule::daemon
