// An edited file, applied to a running interface.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `reload INTERFACE|FILE`: changes what differs, all of it or nothing, and prints what that was.
int run_reload(Console& console, Arguments arguments);

}  // namespace ferrule::cli
