// The command lines of Ferrule's own commands. (wg's have a syntax of their own and read it by hand.)
#pragma once

#include <optional>

#include "cli/terminal/command.h"

namespace CLI {
class App;
}

namespace ferrule::cli {

/// An App that reads what follows a command's name and reports mistakes as exceptions of CLI11:
/// only `read_options` meets them. Reads the command's words. None: the options are set, go on. Else
/// the exit status: help has been printed (0), or what is wrong with the words (1).
[[nodiscard]] std::optional<int> read_options(CLI::App& app, Console& console, Arguments arguments);

}  // namespace ferrule::cli
