// The command lines of Ferrule's own commands. (wg's have a syntax of their own and read it by hand.)
#pragma once

#include <optional>
#include <string>

#include "cli/terminal/command.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace ferrule::cli {

/// The exit status when the words of a command line mean nothing: 2, but 1 as wg-quick.
[[nodiscard]] int usage_status(const Console& console) noexcept;

/// An App that reads what follows a command's name and reports mistakes as exceptions of CLI11:
/// only `read_options` meets them. Reads the command's words. None: the options are set, go on. Else
/// the exit status: help has been printed (0), or what is wrong with the words (2).
///
/// The lines of the App's footer are its examples.
[[nodiscard]] std::optional<int> read_options(CLI::App& app, Console& console, Arguments arguments);

/// An option with a value; `word` stands for it in the help.
CLI::Option* add_value(CLI::App& app, const char* name, std::string& value, const char* word,
                       const char* what);
/// One that takes seconds.
CLI::Option* add_seconds(CLI::App& app, const char* name, double& value, const char* what,
                         double least, double most);

}  // namespace ferrule::cli
