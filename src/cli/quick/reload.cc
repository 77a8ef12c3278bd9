#include "cli/quick/reload.h"

#include <CLI/CLI.hpp>
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
            const control::DeviceStatus& device, bool is_json) {
  const auto opening = open_file(console, file);
  if (!opening) return false;
  ConsoleListener listener(console);
  quick::Reload reload(*console.devices, file, link, device, listener);
  const auto done = reload.run(*opening);
  if (done) {
    (is_json ? print_json : print_text)(console.out, link.name(), *done);
    return true;
  }
  listener.fail(done.error().what);
  reload.take_back();
  return false;
}

}  // namespace

int run_reload(Console& console, Arguments arguments) {
  std::string argument;
  bool is_json = false;
  CLI::App app{"Makes a running interface what its file says now."};
  add_file(app, argument);
  app.add_flag("--json", is_json, "print what was changed as JSON");
  app.footer("ferrule reload wg0");
  if (const auto status = read_options(app, console, arguments)) return *status;
  auto file = read_file_to_apply(console, argument);
  if (!file) return 1;
  const auto device = get_device(console, file->interface);
  auto network = open_network(console);
  if (!device || !network) return 1;
  const auto link = quick::find_link(*network, file->interface);
  if (!link) {
    ConsoleListener(console).fail(link.error().what);
    return 1;
  }
  quick::prepare_environment(file->interface, file->path);
  if (!reload(console, *file, *link, *device, is_json)) return 1;
  return quick::are_names_followed(file->interface) || follow_names(console, *file) ? 0 : 1;
}

}  // namespace ferrule::cli
