#include "cli/quick/up.h"

#include <string>

#include "cli/quick/follow.h"
#include "cli/quick/quick_command.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/options.h"
#include "quick/hooks.h"
#include "quick/up.h"

namespace ferrule::cli {

namespace {

bool bring_up(Console& console, QuickFile& file, io::Network& network,
              quick::Implementation implementation, quick::Run run) {
  ConsoleListener listener(console);
  quick::Up up(*console.devices, file, network, implementation, listener, run);
  if (const auto begun = up.begin(); !begun) {
    print_failure(console, begun.error());
    up.take_back();
    return false;
  }
  // All that can be known is said before anything is there to be taken back.
  auto opened = open_file(console, file);
  if (!opened) {
    up.take_back();
    return false;
  }
  const auto done = up.finish(std::move(opened->opening));
  if (done) return run == quick::Run::real || !opened->is_obstructed;
  print_failure(console, done.error());
  up.take_back();
  return false;
}

}  // namespace

int run_up(Console& console, Arguments arguments) {
  std::string argument;
  bool wants_kernel = false;
  bool is_dry = false;
  CommandLine line{"Brings an interface up as its file says, or leaves everything as it was."};
  add_file(line, argument);
  line.add_flag("--kernel", wants_kernel, "by the kernel's module instead of ferruled");
  line.add_flag("--dry-run", is_dry, "print the steps, and take none of them");
  line.examples(
      "ferrule up wg0\nferrule up ./office.conf\nferrule up wg0 --kernel\n"
      "ferrule up wg0 --dry-run");
  if (const auto status = read_options(line, console, arguments)) return *status;
  auto file = read_file_to_apply(console, argument);
  if (!file) return 1;
  const auto implementation =
      wants_kernel ? quick::Attempt<quick::Implementation>(quick::Implementation::kernel)
                   : quick::choose_implementation(*file);
  if (!implementation) {
    print_failure(console, implementation.error());
    return 1;
  }
  auto network = open_network(console);
  if (!network) return 1;
  quick::prepare_environment(file->interface, file->path);
  const quick::Run run = is_dry ? quick::Run::dry : quick::Run::real;
  if (!bring_up(console, *file, *network, *implementation, run)) return 1;
  return follow_names(console, *file, run) ? 0 : 1;
}

}  // namespace ferrule::cli
