// `ferrule proxy`: SOCKS, HTTP, DNS and forwards into a tunnel, without root.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

int run_proxy(Console& console, Arguments arguments);

}  // namespace ferrule::cli
