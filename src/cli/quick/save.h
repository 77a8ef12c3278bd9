// The state of an interface, written back to its file; and a file as `wg setconf` takes it.
#pragma once

#include "cli/quick/quick_file.h"
#include "cli/terminal/command.h"

namespace ferrule::cli {

/// Writes what the interface is now in the place of its file, whole or not at all, with mode 0600:
/// addresses, keys, peers and MTU as they are; DNS, Table, hooks, comments and disabled peers as the
/// file has them, which is read for it, while other changes of it wait. Says what went wrong.
[[nodiscard]] bool save_configuration(Console& console, const QuickPlace& place);

/// `save INTERFACE|FILE`
int run_save(Console& console, Arguments arguments);
/// `strip INTERFACE|FILE`: prints the file without the keys that are wg-quick's.
int run_strip(Console& console, Arguments arguments);

}  // namespace ferrule::cli
