// What may stand next on a command line: for the shells' completions, which all ask here.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// The help of a command, as `ferrule help WORD...` prints it; "" for no command.
using HelpOf = std::function<std::string(const std::vector<std::string_view>& command)>;

/// Prints what may stand in the place of the last of `words` (those behind "ferrule"), which is the
/// beginning of a word: one a line, its meaning behind a tab. "@files" stands for files, which the shell
/// knows better. All of that is taken from the commands' help.
void print_completions(Console& console, Arguments words, const HelpOf& help);

}  // namespace ferrule::cli
