// show and showconf, as wg has them, and `show --json`.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `status`: a line a tunnel. 3 when one that was named is not up, as systemctl has it.
int run_status(Console& console, Arguments arguments);
int run_show(Console& console, Arguments arguments);
int run_showconf(Console& console, Arguments arguments);

}  // namespace ferrule::cli
