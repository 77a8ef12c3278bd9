// Whether there is anything to look at.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal/command.h"
#include "monitor/snapshot.h"

namespace ferrule::cli {

/// Whether a first look has found what `names` asked for: each of them, or some of
/// all. If not, says what is missing. Later looks show it as gone.
[[nodiscard]] bool is_found(Console& console, const monitor::Snapshot& snapshot,
                            const std::vector<std::string>& names);

}  // namespace ferrule::cli
