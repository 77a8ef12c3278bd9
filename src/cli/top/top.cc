#include "cli/top/top.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/top/terminal.h"
#include "cli/top/view.h"
#include "io/linux/clock.h"

namespace ferrule::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;

// So that the terminal is given back in order.
void quit_on_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

void run(Console& console, Terminal& terminal, const std::vector<std::string>& devices,
         Duration interval) {
  TopState state;
  History history;
  NameBook book;
  Snapshot snapshot;
  Instant next_look;
  while (!state.quits && interrupted == 0) {
    const Now now = io::now();
    if (now.boot >= next_look) {
      snapshot = take_snapshot(*console.devices, devices, book, now);
      history.add(snapshot);
      settle(state, snapshot, history);
      next_look = now.boot + interval;
    }
    terminal.show(draw_top(state, snapshot, history, terminal.screen()));
    const Duration rest = std::max(next_look - io::now().boot, Duration(0));
    if (const auto key = terminal.key(rest)) press(state, *key, snapshot, history);
  }
}

}  // namespace

int run_top(Console& console, Arguments arguments) {
  std::vector<std::string> devices;
  double interval_s = 1;
  CLI::App app("Shows peers, their throughput, handshakes and drops, live.");
  app.add_option("IFACE", devices, "Only these interfaces (default: all)");
  app.add_option("--interval", interval_s, "Seconds between two looks (default: 1)")
      ->check(CLI::Range(0.1, 3600.0));
  if (const auto status = read_options(app, console, arguments)) return *status;
  const auto terminal = Terminal::open();
  if (!terminal) {
    console.err.print("{} top: {}\n", console.program, terminal.error().what);
    return 1;
  }
  quit_on_signals();
  run(console, **terminal, devices,
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(interval_s)));
  return 0;
}

}  // namespace ferrule::cli
