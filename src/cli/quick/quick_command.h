// What the commands for whole interfaces have in common.
#pragma once

#include <optional>
#include <string>

#include "cli/quick/quick_file.h"
#include "cli/terminal/command.h"
#include "cli/terminal/options.h"
#include "io/linux/network.h"
#include "quick/opening.h"

namespace ferrule::cli {

/// Says so when we are not root; then there is nothing to be done.
[[nodiscard]] bool is_root(Console& console);

/// Has a command take a file or interface.
void add_file(CommandLine& line, std::string& argument);
/// Reads a command line that is one file or interface: its word, or the exit status.
[[nodiscard]] std::optional<int> read_argument(Console& console, Arguments arguments,
                                               std::string_view description, std::string& argument);

/// A file that the machine shall be as: read by root, without the peers that have expired. None: that
/// can't be done, which was said.
[[nodiscard]] std::optional<QuickFile> read_file_to_apply(Console& console,
                                                          const std::string& argument);

/// What is known before the interface is made as its file says.
struct Opened {
  quick::Opening opening;
  bool is_obstructed = false;  // something was found at which it will fail
};
/// Warns of all that could be found. None: it can't be made, which was said.
[[nodiscard]] std::optional<Opened> open_file(Console& console, QuickFile& file);

[[nodiscard]] std::optional<io::Network> open_network(Console& console);

}  // namespace ferrule::cli
