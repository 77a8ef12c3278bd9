// `check`: what is wrong with configuration files, before anybody brings them up.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `check FILE... [--strict] [--offline] [--json]`: every mistake in every file, and what cannot work
/// though it parses. Status 1 when there is an error, with --strict a warning too. Prints no key.
int run_check(Console& console, Arguments arguments);

}  // namespace ferrule::cli
