// `ferrule init`: a first configuration of an interface.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `init IFACE --server|--client ...`: writes a configuration with a fresh key. What options do not
/// say is asked where the input is a terminal. A file that is there stays, without --force.
int run_init(Console& console, Arguments arguments);

}  // namespace ferrule::cli
