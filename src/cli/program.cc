#include "cli/program.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "base/version.h"
#include "cli/doctor/check.h"
#include "cli/doctor/doctor.h"
#include "cli/metrics/metrics.h"
#include "cli/peer/peer.h"
#include "cli/proxy/proxy.h"
#include "cli/quick/down.h"
#include "cli/quick/follow.h"
#include "cli/quick/init.h"
#include "cli/quick/reload.h"
#include "cli/quick/save.h"
#include "cli/quick/up.h"
#include "cli/run/run.h"
#include "cli/show/show.h"
#include "cli/top/top.h"
#include "cli/watch/watch.h"
#include "cli/wg/key_commands.h"
#include "cli/wg/set.h"
#include "control/near_miss.h"

namespace ferrule::cli {

namespace {

// wg's, with its words.
constexpr std::array kWgCommands{
    Command{"show", "Shows the current configuration and device information", run_show},
    Command{
        "showconf",
        "Shows the current configuration of a given WireGuard interface, for use with `setconf'",
        run_showconf},
    Command{"set", "Change the current configuration, add peers, remove peers, or change peers",
            run_set},
    Command{"setconf", "Applies a configuration file to a WireGuard interface", run_setconf},
    Command{"addconf", "Appends a configuration file to a WireGuard interface", run_setconf},
    Command{"syncconf", "Synchronizes a configuration file to a WireGuard interface", run_setconf},
    Command{"genkey", "Generates a new private key and writes it to stdout", run_genkey},
    Command{"genpsk", "Generates a new preshared key and writes it to stdout", run_genkey},
    Command{"pubkey", "Reads a private key from stdin and writes a public key to stdout",
            run_pubkey},
};

// wg-quick's.
constexpr std::array kQuickCommands{
    Command{"up", "Brings an interface up as its file says", run_up},
    Command{"down", "Takes an interface down, with all that came with it", run_down},
    Command{"save", "Writes an interface as it is now to its file", run_save},
    Command{"strip", "Prints a file as `setconf' takes it", run_strip},
};

// What neither has; out of sight when we are called by their names.
constexpr std::array kOwnCommands{
    Command{"check", "Finds what is wrong with configuration files", run_check},
    Command{"doctor", "Finds out why a tunnel does not work", run_doctor},
    Command{"init", "Writes the first configuration of an interface", run_init},
    Command{"metrics", "Serves devices, peers and drops to Prometheus", run_metrics},
    Command{"peer", "Adds, lists and changes peers by their names", run_peer},
    Command{"proxy", "Offers SOCKS, HTTP and forwards into a tunnel, without rights", run_proxy},
    Command{"reload", "Makes a running interface what its file says now", run_reload},
    Command{"resolve", "Looks up the names of peers that do not answer", run_resolve},
    Command{"run", "Runs a command inside a tunnel, without rights", run_run},
    Command{"shell", "Opens a shell inside a tunnel, without rights", run_shell},
    Command{"top", "Shows peers and what they do, live", run_top},
    Command{"watch", "Prints what happens to peers, as it happens", run_watch},
};

std::string_view base_name(std::string_view program) {
  const std::size_t slash = program.rfind('/');
  return program.substr(slash == program.npos ? 0 : slash + 1);
}

bool is_called_wg_quick(std::string_view program) { return base_name(program) == "wg-quick"; }

std::vector<Command> commands_of(std::string_view program) {
  std::vector<Command> commands;
  const auto add = [&](const auto& more) {
    commands.insert(commands.end(), more.begin(), more.end());
  };
  if (!is_called_wg_quick(program)) add(kWgCommands);
  if (!is_called_wg(program)) add(kQuickCommands);
  if (!is_called_wg(program) && !is_called_wg_quick(program)) add(kOwnCommands);
  return commands;
}

void print_usage(Output& out, std::string_view program) {
  out.print("Usage: {} <cmd> [<args>]\n\nAvailable subcommands:\n", program);
  for (const Command& command : commands_of(program)) {
    out.print("  {}: {}\n", command.name, command.description);
  }
  out.write("You may pass `--help' to any of these subcommands to view usage.\n");
}

// Programs look for this version in what `wg --version` says, to know what wg can do.
void print_version(Output& out, std::string_view program) {
  if (is_called_wg(program)) out.write("wireguard-tools v1.0.20210914 - ");
  out.print("ferrule {}\n", kVersion);
}

bool is_any_of(std::string_view word, std::initializer_list<std::string_view> words) {
  for (std::string_view other : words) {
    if (word == other) return true;
  }
  return false;
}

int refuse_command(Console& console, std::string_view name) {
  console.err.print("Invalid subcommand: `{}'\n", name);
  std::vector<std::string_view> names;
  for (const Command& command : commands_of(console.program)) names.push_back(command.name);
  if (const auto meant = control::nearest(name, names)) {
    console.err.print("Did you mean `{}'?\n", *meant);
  }
  print_usage(console.err, console.program);
  return 1;
}

bool is_one_of_wgs(const Command& command) {
  return std::ranges::find(kWgCommands, command.name, &Command::name) != kWgCommands.end();
}

// wg's commands take no options: they print their usage at the mistake that the word `--help' is. Who
// asks for help makes none.
int run_command(Console& console, const Command& command, Arguments words) {
  const bool is_help = words.size() == 2 && words[1] == "--help" && is_one_of_wgs(command);
  if (!is_help || command.name == "show" || is_called_wg(console.program))
    return command.run(console, words);
  Output usage(Output::kNowhere);
  std::swap(console.err, usage);
  (void)command.run(console, words);
  std::swap(console.err, usage);
  console.out.write(usage.text());
  return 0;
}

int run_words(Console& console, Arguments words) {
  if (words.empty()) {
    static constexpr std::array<std::string_view, 1> kShow{"show"};
    if (is_called_wg(console.program)) return run_show(console, kShow);
    print_usage(console.err, console.program);
    return 1;
  }
  if (words.size() == 1 && is_any_of(words[0], {"-v", "--version", "version"})) {
    print_version(console.out, console.program);
    return 0;
  }
  if (words.size() == 1 && is_any_of(words[0], {"-h", "--help", "help"})) {
    print_usage(console.out, console.program);
    return 0;
  }
  for (const Command& command : commands_of(console.program)) {
    if (command.name == words[0]) return run_command(console, command, words);
  }
  return refuse_command(console, words[0]);
}

}  // namespace

int run_program(Console& console, Arguments words) {
  const int status = run_words(console, words);
  const int error = console.out.flush();
  if (error != 0) {
    // A key that went nowhere must not look like a key that was written.
    console.err.print("{}: cannot write: {}\n", console.program, std::strerror(error));
  }
  console.err.flush();
  return error != 0 ? 1 : status;
}

}  // namespace ferrule::cli
