// `ferrule top`: what the tunnels of this machine do, live.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

int run_top(Console& console, Arguments arguments);

}  // namespace ferrule::cli
