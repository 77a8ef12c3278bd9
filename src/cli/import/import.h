// `ferrule import` and `ferrule export`: files of other programs.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

int run_import(Console& console, Arguments arguments);
int run_export(Console& console, Arguments arguments);

}  // namespace ferrule::cli
