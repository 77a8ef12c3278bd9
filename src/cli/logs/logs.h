// What a daemon has told.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `logs [-f] [-n N] [--json] [IFACE]`: the last lines of a daemon in the background, or of all; 1 where
/// there are none.
int run_logs(Console& console, Arguments arguments);

}  // namespace ferrule::cli
