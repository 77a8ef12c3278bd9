// `ferrule peer`: peers with names, live and in the file.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `peer add|list|remove|rename|disable|enable|expire IFACE ...`. A change is made in the file and in
/// the device, if it runs: in both, or not at all.
int run_peer(Console& console, Arguments arguments);

}  // namespace ferrule::cli
