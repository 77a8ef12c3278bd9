#include "cli/run/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/run/companion.h"
#include "cli/run/inner_tunnel.h"
#include "cli/terminal/options.h"
#include "proxy/forward.h"
#include "proxy/settings.h"

namespace ferrule::cli {

namespace {

// As `env' and shells have it: we failed; the command could not be started; it is not there.
constexpr int kFailed = 125;
constexpr int kCannotRun = 126;
constexpr int kNotFound = 127;

struct RunOptions {
  std::string file;
  ReachChoice reach;
  std::vector<std::string> publish;
  std::vector<std::string> command;
};

// A port of this machine that leads to one of the command's loopback.
struct Published {
  io::UniqueFd socket;
  proxy::Target target;
};

void add_options(CommandLine& line, RunOptions& options) {
  line.add_option("FILE", options.file,
                  "an interface, with its file in /etc/wireguard, or a path to NAME.conf, or - for "
                  "standard input")
      .required();
  line.add_option("--reach", options.reach.text,
                  "how to reach the inside: auto or namespace; says which is taken and why")
      .shown_as("WAY");
  line.add_option("--publish", options.publish,
                  "a port of this machine leads to one of the command; on loopback, without an "
                  "address")
      .shown_as("[ADDRESS:]PORT:INNERPORT")
      .one_word_each();
}

std::optional<std::vector<Published>> open_published(Console& console, const RunOptions& options) {
  std::vector<Published> all;
  for (const std::string& text : options.publish) {
    // As -L, with the command's loopback in the middle.
    const std::size_t colon = text.rfind(':');
    const auto forward =
        colon == text.npos
            ? std::nullopt
            : proxy::parse_local_forward(text.substr(0, colon) + ":127.0.0.1" + text.substr(colon));
    if (!forward || forward->is_udp) {
      console.err.print("{} run: --publish {}: expected [ADDRESS:]PORT:INNERPORT\n",
                        console.program, text);
      return std::nullopt;
    }
    auto socket = netstack::OwnReach().listen(forward->from.at);
    if (!socket) {
      console.err.print("{} run: --publish: {}\n", console.program, socket.error().what);
      return std::nullopt;
    }
    all.push_back({std::move(*socket), forward->to});
  }
  return all;
}

// The terminal is the command's.
class QuietLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

// Until the program ends that has taken our place, or the tunnel does.
void keep_until(Console& console, InnerTunnel& tunnel, int ended, std::vector<Published>& ports) {
  auto loop = proxy::Loop::open();
  if (!loop) {
    console.err.print("{}: {}\n", console.program, loop.error().what);
    return;
  }
  QuietLog log;
  netstack::OwnReach outside;
  netstack::NamespaceReach inside(*tunnel.space);
  proxy::Services services{*loop, inside, outside, log};
  std::vector<proxy::Listener> listeners;
  for (Published& port : ports) {
    listeners.push_back(proxy::forward_tcp(services, outside, std::move(port.socket), "publish",
                                           inside, port.target));
  }
  const proxy::Watched command(*loop, ended, {}, [&](const io::Ready&) { loop->stop(); });
  const proxy::Watched daemon(*loop, tunnel.process.poll_fd(), {}, [&](const io::Ready&) {
    console.err.print("{}: the tunnel has ended: ferruled is gone\n", console.program);
    loop->stop();
  });
  loop->run();
}

[[nodiscard]] int become(Console& console, const std::vector<std::string>& command) {
  console.out.flush();
  console.err.flush();
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  const int error = errno;
  console.err.print("{}: {}: {}\n", console.program, command[0], std::strerror(error));
  return error == ENOENT ? kNotFound : kCannotRun;
}

int run_inside(Console& console, RunOptions& options) {
  hold_standard_descriptors();
  if (!check_reach(console, options.reach, true)) return kFailed;
  auto file =
      options.file == "-" ? read_quick_input(console) : read_quick_file(console, options.file);
  if (!file) return kFailed;
  auto published = open_published(console, options);
  if (!published) return kFailed;
  // What stands beside a program's own words is for it to decide.
  const InnerTunnelOptions tunnel{options.reach, true, true};
  const auto doors = start_companion(
      console, [&] { return start_inner_tunnel(console, *file, tunnel); },
      [&](InnerTunnel& made, int ended) { keep_until(console, made, ended, *published); });
  if (!doors) return kFailed;
  file.reset();
  published->clear();
  if (auto entered = netstack::Namespace::enter(*doors); !entered) {
    console.err.print("{}: {}\n", console.program, entered.error().what);
    return kFailed;
  }
  return become(console, options.command);
}

}  // namespace

int run_run(Console& console, Arguments arguments) {
  RunOptions options;
  const auto separator = std::ranges::find(arguments, std::string_view("--"));
  for (auto word = separator; word != arguments.end(); ++word) {
    if (word != separator) options.command.emplace_back(*word);
  }
  CommandLine line{
      "Runs a command inside a tunnel: it sees nothing but that. Needs no rights. The command "
      "stands behind `--'."};
  add_options(line, options);
  line.examples(
      "ferrule run office -- curl https://intranet.example\nferrule run ./office.conf -- ssh host");
  const auto own = arguments.first(static_cast<std::size_t>(separator - arguments.begin()));
  if (const auto status = read_options(line, console, own)) {
    return *status == 0 ? 0 : kFailed;
  }
  options.reach.is_given = line.has("--reach");
  if (options.command.empty()) {
    console.err.print(
        "{0} run: what is to run inside? Say it behind `--': {0} run {1} -- COMMAND\n",
        console.program, options.file);
    return kFailed;
  }
  return run_inside(console, options);
}

int run_shell(Console& console, Arguments arguments) {
  RunOptions options;
  CommandLine line{"Opens a shell inside a tunnel: what it starts sees nothing but that."};
  add_options(line, options);
  line.examples("ferrule shell office");
  if (const auto status = read_options(line, console, arguments)) return *status;
  options.reach.is_given = line.has("--reach");
  const char* shell = std::getenv("SHELL");
  options.command = {shell != nullptr && *shell != '\0' ? shell : "/bin/sh"};
  console.err.print("A shell inside {}; `exit' leaves it.\n", options.file);
  return run_inside(console, options);
}

}  // namespace ferrule::cli
