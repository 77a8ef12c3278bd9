// What is wrong with a file, said by the way.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal/command.h"
#include "control/conf_check.h"

namespace ferrule::cli {

/// Says findings in a line each, but for notes and what is said elsewhere; of many, the first.
void warn_of(Console& console, const std::vector<control::ConfFinding>& findings,
             const std::string& path);

}  // namespace ferrule::cli
