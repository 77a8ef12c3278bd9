#include "cli/quick/down.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/key_text.h"
#include "cli/quick/quick_command.h"
#include "cli/quick/save.h"
#include "cli/terminal/listener.h"
#include "control/prefix_list.h"
#include "quick/down.h"
#include "quick/hooks.h"

namespace ferrule::cli {

namespace {

using quick::Doomed;

constexpr std::size_t kMaxLostTold = 5;

// A command that fails ends it, as long as the file has it: without it, that is the way out.
bool run_pre_down(Console& console, const Doomed& doomed) {
  const std::vector<std::string>& hooks = doomed.file.configuration.interface.pre_down;
  ConsoleListener listener(console);
  const auto done = quick::run_hooks(doomed.file, "PreDown", hooks, listener);
  if (done) return true;
  print_failure(console, done.error());
  const auto of_today =
      doomed.today ? doomed.today->interface.pre_down : std::vector<std::string>();
  if (!doomed.record || of_today == hooks) return false;
  listener.warn("the file has other commands by now: going on");
  return true;
}

void tell_of_lost_peers(Console& console, const Doomed& doomed) {
  const auto lost = quick::peers_of_no_file(doomed);
  for (std::size_t i = 0; i < std::min(lost.size(), kMaxLostTold); ++i) {
    const std::string prefixes = control::prefix_list(lost[i]->allowed_ips);
    console.err.print("Warning: peer {}{}{} is not in {}, and is gone now\n",
                      to_base64(lost[i]->public_key), prefixes.empty() ? "" : ", allowed IPs ",
                      prefixes, doomed.file.path);
  }
  if (lost.size() > kMaxLostTold) {
    console.err.print("Warning: and {} more\n", lost.size() - kMaxLostTold);
  }
  if (!lost.empty()) {
    console.err.write("`ferrule save' before `down', or SaveConfig = true, would have kept it\n");
  }
}

// What the interface has may be nowhere else: that it is lost is said, and no reason to leave it up.
void save_if_wanted(Console& console, const Doomed& doomed) {
  const QuickFile& file = doomed.file;
  if (!file.configuration.interface.save_config) return tell_of_lost_peers(console, doomed);
  const QuickPlace place{file.interface, file.path, file.given};
  if (doomed.link && doomed.device && save_configuration(console, place)) return;
  console.err.print("Warning: {} is not saved: it stays as it is\n", file.path);
  tell_of_lost_peers(console, doomed);
}

}  // namespace

int run_down(Console& console, Arguments arguments) {
  std::string argument;
  const auto status = read_argument(
      console, arguments, "Takes an interface down, with all that came with it.", argument);
  if (status) return *status;
  if (!is_root(console)) return 1;
  auto network = open_network(console);
  if (!network) return 1;
  ConsoleListener listener(console);
  const auto doomed =
      value_or_say(console, quick::find_doomed(*console.devices, *network, argument, listener));
  if (!doomed) return 1;
  const QuickFile& file = doomed->file;
  const control::InterfaceConf& conf = file.configuration.interface;
  quick::prepare_environment(file.interface, file.path);
  if (!run_pre_down(console, *doomed)) return 1;
  save_if_wanted(console, *doomed);
  const bool is_good = quick::Down(*console.devices, *network, *doomed, listener).run();
  const auto done = quick::run_hooks(file, "PostDown", conf.post_down, listener);
  if (!done) print_failure(console, done.error());
  return done && is_good ? 0 : 1;
}

}  // namespace ferrule::cli
