// `ferrule run` and `ferrule shell`: a program inside a tunnel, and nowhere else.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

int run_run(Console& console, Arguments arguments);
int run_shell(Console& console, Arguments arguments);

}  // namespace ferrule::cli
