#include "cli/quick/reload.h"

#include <string>

#include "cli/quick/difference_json.h"
#include "cli/quick/follow.h"
#include "cli/quick/quick_command.h"
#include "cli/terminal/json.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/options.h"
#include "quick/follow.h"
#include "quick/hooks.h"
#include "quick/link.h"
#include "quick/reload.h"

namespace ferrule::cli {

namespace {

void print_text(Output& out, const std::string& interface, const quick::Reloaded& reloaded) {
  for (const quick::Difference& change : reloaded.changes) {
    out.print("{}: {}\n", interface, change.text);
  }
  if (reloaded.changes.empty() && reloaded.steps.empty()) out.print("{}: no change\n", interface);
}

void print_json(Output& out, const std::string& interface, const quick::Reloaded& reloaded) {
  Json changes = Json::array();
  for (const quick::Difference& change : reloaded.changes) changes.push_back(json_of(change));
  const Json line{{"version", kJsonVersion},
                  {"interface", interface},
                  {"changes", changes},
                  {"steps", reloaded.steps}};
  out.print("{}\n", to_line(line));
}

bool reload(Console& console, QuickFile& file, const quick::LinkActions& link,
            const control::DeviceStatus& device, const ReloadOptions& options) {
  const auto opened = open_file(console, file);
  if (!opened) return false;
  ConsoleListener listener(console);
  quick::Reload reload(*console.devices, file, link, device, listener, options.run);
  const auto done = reload.run(opened->opening);
  if (done) {
    (options.is_json ? print_json : print_text)(console.out, link.name(), *done);
    return options.run == quick::Run::real || !opened->is_obstructed;
  }
  listener.fail(done.error().what);
  reload.take_back();
  return false;
}

}  // namespace

int reload_interface(Console& console, const std::string& argument, const ReloadOptions& options) {
  auto file = read_file_to_apply(console, argument);
  if (!file) return 1;
  const auto device = value_or_say(console, quick::get_device(*console.devices, file->interface));
  auto network = open_network(console);
  if (!device || !network) return 1;
  const auto link = quick::find_link(*network, file->interface);
  if (!link) {
    ConsoleListener(console).fail(link.error().what);
    return 1;
  }
  quick::prepare_environment(file->interface, file->path);
  if (!reload(console, *file, *link, *device, options)) return 1;
  if (quick::are_names_followed(file->interface)) return 0;
  return follow_names(console, *file, options.run) ? 0 : 1;
}

int run_reload(Console& console, Arguments arguments) {
  std::string argument;
  ReloadOptions options;
  bool is_dry = false;
  CommandLine line{"Makes a running interface what its file says now."};
  add_file(line, argument);
  line.add_flag("--json", options.is_json, "print what was changed as JSON");
  line.add_flag("--dry-run", is_dry, "print what would be changed, and change nothing");
  line.examples("ferrule reload wg0\nferrule reload wg0 --dry-run");
  if (const auto status = read_options(line, console, arguments)) return *status;
  if (is_dry) options.run = quick::Run::dry;
  return reload_interface(console, argument, options);
}

}  // namespace ferrule::cli
