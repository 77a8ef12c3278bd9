// What the commands for whole interfaces have in common.
#pragma once

#include <optional>
#include <string>

#include "cli/quick/quick_file.h"
#include "cli/terminal/command.h"
#include "quick/actions.h"

namespace CLI {
class App;
}

namespace ferrule::cli {

/// Says so when we are not root; then there is nothing to be done.
[[nodiscard]] bool is_root(Console& console);

/// Has a command take a file or interface.
void add_file(CLI::App& app, std::string& argument);
/// Reads a command line that is one file or interface: its word, or the exit status.
[[nodiscard]] std::optional<int> read_argument(Console& console, Arguments arguments,
                                               std::string_view description, std::string& argument);

/// A file that the machine shall be as: read by root, without the peers that have expired. None: that
/// can't be done, which was said.
[[nodiscard]] std::optional<QuickFile> read_file_to_apply(Console& console,
                                                          const std::string& argument);

/// The actions on an interface that is there. None: it is not, or not to be found; that was said.
[[nodiscard]] std::optional<quick::LinkActions> find_link(Console& console, io::Network& network,
                                                          const std::string& name);
[[nodiscard]] std::optional<io::Network> open_network(Console& console);

/// The device of this name. None: it is not, or does not answer; that was said.
[[nodiscard]] std::optional<control::DeviceStatus> get_device(Console& console,
                                                              const std::string& name);

/// The MTU that the tunnel's packets leave room for on the ways to these peers, or by the default
/// route, or as Ethernet has it.
[[nodiscard]] std::uint32_t automatic_mtu(io::Network& network,
                                          const control::DeviceStatus& device);

/// Runs the hooks of a key until one fails, which is said.
[[nodiscard]] bool run_hooks(Console& console, const QuickFile& file, std::string_view key,
                             const std::vector<std::string>& hooks);

}  // namespace ferrule::cli
