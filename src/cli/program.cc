#include "cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/version.h"
#include "cli/complete/complete.h"
#include "cli/doctor/check.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/explain.h"
#include "cli/doctor/ping.h"
#include "cli/import/import.h"
#include "cli/logs/logs.h"
#include "cli/metrics/metrics.h"
#include "cli/peer/peer.h"
#include "cli/proxy/proxy.h"
#include "cli/quick/down.h"
#include "cli/quick/follow.h"
#include "cli/quick/init.h"
#include "cli/quick/reload.h"
#include "cli/quick/save.h"
#include "cli/quick/undo.h"
#include "cli/quick/up.h"
#include "cli/run/run.h"
#include "cli/show/show.h"
#include "cli/terminal/help.h"
#include "cli/terminal/not_there.h"
#include "cli/terminal/options.h"
#include "cli/top/top.h"
#include "cli/watch/watch.h"
#include "cli/wg/key_commands.h"
#include "cli/wg/set.h"
#include "cli/wg/wg_help.h"
#include "control/near_miss.h"

namespace ferrule::cli {

namespace {

// All that there is, as the help lists it.
constexpr std::array kCommands{
    Command{Group::tunnels, "init", "writes a first file, for a server or a client", run_init},
    Command{Group::tunnels, "import", "takes over files of other programs, and QR codes",
            run_import},
    Command{Group::tunnels, "export", "prints a file for another program", run_export},
    Command{Group::tunnels, "up", "brings an interface up as its file says", run_up},
    Command{Group::tunnels, "down", "takes an interface down, with all that came with it",
            run_down},
    Command{Group::tunnels, "reload", "makes a running interface what its file says now",
            run_reload},
    Command{Group::tunnels, "save", "writes an interface as it is now to its file", run_save},
    Command{Group::tunnels, "undo", "takes back the last edit of a file", run_undo},
    Command{Group::tunnels, "strip", "prints a file as `setconf' takes it", run_strip},
    Command{Group::tunnels, "resolve", "looks up the names of peers that do not answer",
            run_resolve},
    Command{Group::tunnels, "run", "runs a command inside a tunnel, without rights", run_run},
    Command{Group::tunnels, "proxy", "offers SOCKS, HTTP and forwards into a tunnel", run_proxy},
    Command{Group::tunnels, "shell", "opens a shell inside a tunnel, without rights", run_shell},
    Command{Group::peers, "peer", "adds, lists and changes peers by their names", run_peer},
    Command{Group::explanations, "check", "finds what is wrong with files", run_check},
    Command{Group::explanations, "doctor", "finds out why a tunnel does not work", run_doctor},
    Command{Group::explanations, "explain", "says which way a packet goes, and why", run_explain},
    Command{Group::explanations, "ping", "sends echo requests to a peer by its name", run_ping},
    Command{Group::explanations, "test", "measures the way to a peer and back", run_test},
    Command{Group::views, "status", "shows which tunnels are up, a line each", run_status},
    Command{Group::views, "show", "shows interfaces and their peers", run_show},
    Command{Group::views, "top", "shows peers and what they do, live", run_top},
    Command{Group::views, "watch", "prints what happens to peers, as it happens", run_watch},
    Command{Group::views, "logs", "prints what daemons in the background have told", run_logs},
    Command{Group::views, "metrics", "serves devices, peers and drops to Prometheus", run_metrics},
    Command{Group::wg, "showconf", "prints an interface as `setconf' takes it", run_showconf},
    Command{Group::wg, "set", "changes an interface or its peers", run_set},
    Command{Group::wg, "setconf", "makes an interface what a file says", run_setconf},
    Command{Group::wg, "addconf", "adds what a file says to an interface", run_setconf},
    Command{Group::wg, "syncconf", "as setconf, and sessions live on", run_setconf},
    Command{Group::wg, "genkey", "makes a private key", run_genkey},
    Command{Group::wg, "genpsk", "makes a preshared key", run_genkey},
    Command{Group::wg, "pubkey", "makes the public key of a private one", run_pubkey},
};

// What a program in whose place we are has, in its own words.
struct TheirCommand {
  std::string_view name;
  std::string_view description;
};

constexpr std::array kWgCommands{
    TheirCommand{"show", "Shows the current configuration and device information"},
    TheirCommand{
        "showconf",
        "Shows the current configuration of a given WireGuard interface, for use with `setconf'"},
    TheirCommand{"set",
                 "Change the current configuration, add peers, remove peers, or change peers"},
    TheirCommand{"setconf", "Applies a configuration file to a WireGuard interface"},
    TheirCommand{"addconf", "Appends a configuration file to a WireGuard interface"},
    TheirCommand{"syncconf", "Synchronizes a configuration file to a WireGuard interface"},
    TheirCommand{"genkey", "Generates a new private key and writes it to stdout"},
    TheirCommand{"genpsk", "Generates a new preshared key and writes it to stdout"},
    TheirCommand{"pubkey", "Reads a private key from stdin and writes a public key to stdout"},
};

constexpr std::array kQuickCommands{
    TheirCommand{"up", "Brings an interface up as its file says"},
    TheirCommand{"down", "Takes an interface down, with all that came with it"},
    TheirCommand{"save", "Writes an interface as it is now to its file"},
    TheirCommand{"strip", "Prints a file as `setconf' takes it"},
};

// What other programs call them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOtherWords{{
    {"start", "up"},
    {"stop", "down"},
    {"restart", "reload"},
    {"list", "peer list"},
    {"ls", "show"},
    {"add", "peer add"},
    {"remove", "peer remove"},
    {"validate", "check"},
}};

// Empty as ferrule: then all are there.
std::span<const TheirCommand> theirs(std::string_view program) {
  if (is_called_wg(program)) return kWgCommands;
  if (is_called_wg_quick(program)) return kQuickCommands;
  return {};
}

std::vector<std::string> names_of_commands(std::string_view program) {
  std::vector<std::string> names;
  for (const TheirCommand& command : theirs(program)) names.emplace_back(command.name);
  if (!names.empty()) return names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return names;
}

const Command* find_command(std::string_view program, std::string_view name) {
  const auto names = names_of_commands(program);
  if (std::ranges::find(names, name) == names.end()) return nullptr;
  return &*std::ranges::find(kCommands, name, &Command::name);
}

void print_usage(Output& out, std::string_view program) {
  const auto commands = theirs(program);
  if (commands.empty()) return out.write(overview(program, kCommands));
  out.print("Usage: {} <cmd> [<args>]\n\nAvailable subcommands:\n", program);
  for (const auto& [name, description] : commands) out.print("  {}: {}\n", name, description);
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

// As wg and wg-quick do.
int refuse_as_they_do(Console& console, std::string_view name) {
  console.err.print("Invalid subcommand: `{}'\n", name);
  const std::vector<std::string> names = names_of_commands(console.program);
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  if (const auto meant = control::nearest(name, candidates)) {
    console.err.print("Did you mean `{}'?\n", *meant);
  }
  print_usage(console.err, console.program);
  return 1;
}

int refuse_command(Console& console, std::string_view name) {
  if (!theirs(console.program).empty()) return refuse_as_they_do(console, name);
  std::string why = is_not(name, "a command", names_of_commands(console.program));
  for (const auto& [word, ours] : kOtherWords) {
    if (name == word) why = fmt::format("`{}' is not a command; did you mean `{}'?", name, ours);
  }
  console.err.print("{0}: {1}\nTry `{0} help'.\n", console.program, why);
  return usage_status(console);
}

int run_command(Console& console, const Command& command, Arguments words) {
  // wg's commands know no such word: they print their usage at the mistake that it is.
  const bool is_help = words.size() == 2 && is_any_of(words[1], {"--help", "-h"});
  const std::string_view page =
      is_help && !is_called_wg(console.program) ? wg_help(command.name) : "";
  if (page.empty()) return command.run(console, words);
  console.out.print("Usage: {} {}{}", console.program, command.name, page);
  return 0;
}

int run_help(Console& console, Arguments words) {
  if (words.empty()) {
    print_usage(console.out, console.program);
    return 0;
  }
  const Command* command = find_command(console.program, words[0]);
  if (command == nullptr) return refuse_command(console, words[0]);
  std::vector<std::string_view> asked(words.begin(), words.end());
  if (!is_any_of(asked.back(), {"--help", "-h"})) asked.push_back("--help");
  return run_command(console, *command, asked);
}

// What `help` prints of a command.
std::string help_of(Console& console, const std::vector<std::string_view>& command) {
  Output page(Output::kNowhere);
  std::swap(console.out, page);
  const int status = run_help(console, command);
  std::swap(console.out, page);
  return status == 0 ? std::string(page.text()) : "";
}

// Asked by the shells' completions; nobody types it.
int run_complete(Console& console, Arguments words) {
  if (!words.empty() && words[0] == "--") words = words.subspan(1);
  Output nowhere(Output::kNowhere);
  std::swap(console.err, nowhere);
  print_completions(console, words, [&](const std::vector<std::string_view>& command) {
    return help_of(console, command);
  });
  std::swap(console.err, nowhere);
  return 0;
}

int run_words(Console& console, Arguments words) {
  if (words.empty()) {
    static constexpr std::array<std::string_view, 1> kShow{"show"};
    if (is_called_wg(console.program)) return run_show(console, kShow);
    print_usage(console.err, console.program);
    return usage_status(console);
  }
  if (words.size() == 1 && is_any_of(words[0], {"-v", "--version", "version"})) {
    print_version(console.out, console.program);
    return 0;
  }
  const bool has_help = words.size() == 1 || theirs(console.program).empty();
  if (has_help && is_any_of(words[0], {"-h", "--help", "help"})) {
    return run_help(console, words.subspan(1));
  }
  if (words[0] == "complete" && theirs(console.program).empty()) {
    return run_complete(console, words.subspan(1));
  }
  const Command* command = find_command(console.program, words[0]);
  return command == nullptr ? refuse_command(console, words[0])
                            : run_command(console, *command, words);
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
