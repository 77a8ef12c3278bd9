// An interface brought up as its file says.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `up [--kernel] INTERFACE|FILE`: all of it, or what was done is taken back.
int run_up(Console& console, Arguments arguments);

}  // namespace ferrule::cli
