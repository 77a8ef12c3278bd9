// Memory that is never written to swap.
#pragma once

#include "base/log.h"

namespace ferrule::daemon {

/// Locks all memory of the process, what is allocated later too, as it is touched. Needs
/// CAP_IPC_LOCK, for good, or no limit on locked memory; else the log says so, and nothing is locked.
void lock_memory(Log& log);

}  // namespace ferrule::daemon
