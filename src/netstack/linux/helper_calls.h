// What the helper in a namespace can still do, once everything is made.
#pragma once

#include "base/error.h"

namespace ferrule::netstack {

/// Gives up every capability, and then (seccomp) every system call but those that open TCP and UDP
/// sockets and pass them on: any other ends the process. Nothing of it can be undone.
[[nodiscard]] Result<void> restrict_helper();

}  // namespace ferrule::netstack
