// An interface taken down, and all that came with it.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `down INTERFACE|FILE`. What can't be taken down is said, and the rest goes all the same.
int run_down(Console& console, Arguments arguments);

}  // namespace ferrule::cli
