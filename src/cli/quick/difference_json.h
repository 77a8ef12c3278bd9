// Differences for programs.
#pragma once

#include "cli/terminal/json.h"
#include "quick/difference.h"

namespace ferrule::cli {

[[nodiscard]] Json json_of(const quick::Difference& difference);

}  // namespace ferrule::cli
