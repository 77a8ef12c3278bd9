// The list of allowed system calls, for machines other than this one.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace ferrule::daemon {

/// Writes to `fd` the program that `restrict_calls` would give the kernel of a machine with this
/// architecture (SCMP_ARCH_...).
[[nodiscard]] Result<void> write_call_filter(std::uint32_t architecture, int fd,
                                             int state_directory = -1);

}  // namespace ferrule::daemon
