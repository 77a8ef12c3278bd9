// From a command line to the command that it names.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// Runs what the words ask for and returns the exit status. Called by the name `wg`, the program is wg:
/// its commands only, and `show` when no word is given. Called `wg-quick`, it has only wg-quick's.
int run_program(Console& console, Arguments words);

}  // namespace ferrule::cli
