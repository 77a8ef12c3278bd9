// What a running proxy can still do.
#pragma once

#include "base/error.h"

namespace ferrule::proxy {

/// From now on (seccomp) no file can be opened, no program started and no socket made but those of TCP and UDP
/// and what tells interfaces: such calls are refused. Call once everything is open; threads inherit it.
[[nodiscard]] Result<void> restrict_calls();

}  // namespace ferrule::proxy
