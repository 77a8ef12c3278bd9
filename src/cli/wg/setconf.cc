#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "cli/terminal/listener.h"
#include "cli/wg/set.h"
#include "control/conf_configuration.h"
#include "files/conf_change.h"
#include "files/input.h"

namespace ferrule::cli {

namespace {

std::optional<control::Configuration> read_conf(Console& console, const std::string& path) {
  const auto text = files::read_file(path);
  if (!text) {
    console.err.print("{}\n", text.error().what);
    return std::nullopt;
  }
  const control::ConfDocument document(path, text->view());
  auto configuration = control::read_configuration(document, control::ConfDialect::wg);
  if (!configuration) {
    for (const control::ConfError& error : configuration.error()) {
      console.err.write(error.to_string());
    }
    console.err.write("Configuration parsing error\n");
    return std::nullopt;
  }
  for (const control::ConfError& warning : configuration->warnings) {
    console.err.print("Warning: {}", warning.to_string());
  }
  return std::move(*configuration);
}

}  // namespace

int run_setconf(Console& console, Arguments arguments) {
  if (arguments.size() != 3) {
    console.err.print("Usage: {} {} <interface> <configuration filename>\n", console.program,
                      arguments[0]);
    return 1;
  }
  const std::string name(arguments[1]);
  const bool is_dash = arguments[2] == "-" && !is_called_wg(console.program);
  auto configuration = read_conf(console, is_dash ? "/dev/stdin" : std::string(arguments[2]));
  if (!configuration) return 1;
  ConsoleListener listener(console);
  auto change = files::take_change(listener, *configuration);
  if (!change) {
    console.err.print("{}\n", change.error());
    return 1;
  }
  if (arguments[0] != "addconf") files::replace_all(*change);
  if (arguments[0] == "syncconf") {
    const auto device = console.devices->get(name);
    if (!device) {
      console.err.print("Unable to retrieve current interface configuration: {}\n",
                        std::strerror(device.error().code));
      return 1;
    }
    files::keep_peers(*change, *device);
  }
  const auto outcome = console.devices->set(name, *change);
  if (outcome) return 0;
  console.err.print("Unable to modify interface: {}\n", std::strerror(outcome.error().code));
  return 1;
}

}  // namespace ferrule::cli
