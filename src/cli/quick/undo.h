// An edit of a file, taken back.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `undo [--list] IFACE|FILE`: puts back what the file was before the last edit by this tool, and says
/// what that changes. An interface that is up follows; where it can't, the file stays.
int run_undo(Console& console, Arguments arguments);

}  // namespace ferrule::cli
