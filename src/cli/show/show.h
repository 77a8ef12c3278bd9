// show and showconf, as wg has them, and `show --json`.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

int run_show(Console& console, Arguments arguments);
int run_showconf(Console& console, Arguments arguments);

}  // namespace ferrule::cli
