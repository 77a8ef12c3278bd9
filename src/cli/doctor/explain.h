// `ferrule explain`: what would carry a packet to an address, and why.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `explain ADDRESS [--from SRC] [--json]`. Status 0: it gets onto its way; 1: something is in the way; 2:
/// nobody could look.
int run_explain(Console& console, Arguments arguments);

}  // namespace ferrule::cli
