#include "cli/quick/quick_command.h"

#include <unistd.h>

#include <algorithm>

#include "cli/doctor/warnings.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/now.h"
#include "cli/terminal/options.h"
#include "diagnosis/machine_findings.h"
#include "quick/expired.h"

namespace ferrule::cli {

bool is_root(Console& console) {
  if (geteuid() == 0) return true;
  console.err.print("{}: interfaces and routes are root's to change: try it with sudo\n",
                    console.program);
  return false;
}

void add_file(CommandLine& line, std::string& argument) {
  line.add_option("FILE", argument,
                  "an interface, with its file in /etc/wireguard, or a path to NAME.conf")
      .required();
}

std::optional<int> read_argument(Console& console, Arguments arguments,
                                 std::string_view description, std::string& argument) {
  CommandLine line{std::string(description)};
  add_file(line, argument);
  line.examples("ferrule " + std::string(arguments[0]) + " wg0");
  return read_options(line, console, arguments);
}

std::optional<QuickFile> read_file_to_apply(Console& console, const std::string& argument) {
  if (!is_root(console)) return std::nullopt;
  auto file = read_quick_file(console, argument);
  if (!file) return std::nullopt;
  ConsoleListener listener(console);
  const auto done = quick::leave_out_expired(*file, now_of(console), listener);
  if (done) return file;
  print_failure(console, done.error());
  return std::nullopt;
}

std::optional<Opened> open_file(Console& console, QuickFile& file) {
  ConsoleListener listener(console);
  auto opening = value_or_say(console, quick::look_ahead(file, listener));
  if (!opening) return std::nullopt;
  const control::PeerList& peers = quick::named_peers(file);
  const diagnosis::FileToCheck to_check{file.path, file.interface, file.document,
                                        file.configuration, peers};
  const auto findings = diagnosis::find_everything(*console.devices, to_check, opening->endpoints,
                                                   diagnosis::Look::before_up);
  warn_of(console, findings, file.given);
  return Opened{std::move(*opening), std::ranges::any_of(findings, diagnosis::is_obstacle)};
}

std::optional<io::Network> open_network(Console& console) {
  auto network = io::Network::open();
  if (network) return std::move(*network);
  console.err.print("{}: {}\n", console.program, network.error().what);
  return std::nullopt;
}

}  // namespace ferrule::cli
