// The moment in which the console is.
#pragma once

#include "cli/terminal/command.h"
#include "control/named_peers.h"

namespace ferrule::cli {

[[nodiscard]] control::Date now_of(const Console& console);

}  // namespace ferrule::cli
