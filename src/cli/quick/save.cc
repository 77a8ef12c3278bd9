#include "cli/quick/save.h"

#include <string>

#include "cli/quick/quick_command.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/now.h"
#include "cli/terminal/options.h"
#include "control/foreign_text.h"
#include "files/input.h"
#include "quick/save.h"

namespace ferrule::cli {

namespace {

bool is_any_key(std::string_view key, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (control::is_named(key, name)) return true;
  }
  return false;
}

// As bash reads a line: without blanks at its ends.
std::string_view without_blanks(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(" \t") - first + 1);
}

// What wg-quick takes for itself.
bool is_wg_quicks(std::string_view line) {
  const std::string_view stripped = line.substr(0, line.find('#'));
  const std::string_view key = control::trimmed(stripped.substr(0, stripped.find('=')));
  return is_any_key(key, {"Address", "MTU", "DNS", "Table", "PreUp", "PreDown", "PostUp",
                          "PostDown", "SaveConfig"});
}

}  // namespace

bool save_configuration(Console& console, const QuickPlace& place) {
  auto network = open_network(console);
  if (!network) return false;
  ConsoleListener listener(console);
  const auto done =
      quick::save_configuration(place, *network, *console.devices, now_of(console), listener);
  if (!done) print_failure(console, done.error());
  return done.has_value();
}

int run_save(Console& console, Arguments arguments) {
  std::string argument;
  const auto status =
      read_argument(console, arguments, "Writes an interface as it is now to its file.", argument);
  if (status) return *status;
  if (!is_root(console)) return 1;
  const auto place = find_quick_file(console, argument);
  return place && save_configuration(console, *place) ? 0 : 1;
}

int run_strip(Console& console, Arguments arguments) {
  std::string argument;
  CommandLine command{"Prints a file without what only wg-quick knows, for `setconf'."};
  command
      .add_option("FILE", argument,
                  "an interface, with its file in /etc/wireguard, or a path to NAME.conf, or - for "
                  "standard input")
      .required();
  command.examples("ferrule strip wg0\nferrule export wg0 | ferrule strip -");
  if (const auto status = read_options(command, console, arguments)) return *status;
  std::string path(kStandardInput);
  if (argument != "-") {
    const auto place = find_quick_file(console, argument);
    if (!place) return 1;
    path = place->path;
  }
  const auto text = argument == "-" ? files::read_fd(console.in, path) : files::read_file(path);
  if (!text) {
    console.err.print("{}: {}\n", console.program, text.error().what);
    return 1;
  }
  bool is_in_interface = false;
  const control::ConfDocument document(path, text->view());
  if (control::why_no_text(text->view(), path)) {
    print_errors(console, document.errors());
    return 1;
  }
  for (std::size_t i = 0; i < document.line_count(); ++i) {
    const std::string_view line = document.line(i);
    const std::string_view word = control::trimmed(line.substr(0, line.find('#')));
    if (word.starts_with('[')) is_in_interface = control::is_named(word, "[Interface]");
    if (is_in_interface && is_wg_quicks(line)) continue;
    console.out.write(without_blanks(line));
    console.out.write("\n");
  }
  console.out.write("\n");
  return 0;
}

}  // namespace ferrule::cli
