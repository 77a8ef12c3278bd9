// `ferrule metrics`: the devices of this machine for Prometheus, over HTTP or once.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

int run_metrics(Console& console, Arguments arguments);

}  // namespace ferrule::cli
