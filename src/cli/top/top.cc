#include "cli/top/top.h"

#include <csignal>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/terminal/conf_text.h"
#include "cli/terminal/first_look.h"
#include "cli/terminal/options.h"
#include "cli/top/terminal.h"
#include "cli/top/view.h"
#include "io/clock.h"

namespace ferrule::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;

// So that the terminal is given back in order.
void quit_on_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

void run(Terminal& terminal, Duration interval, monitor::Snapshot snapshot,
         const std::function<monitor::Snapshot()>& look) {
  TopState state;
  monitor::History history;
  while (true) {
    history.add(snapshot);
    settle(state, snapshot, history);
    const Instant next_look = snapshot.now.boot + interval;
    do {
      terminal.show(draw_top({state, snapshot, history, terminal.screen()}));
      const Duration rest = std::max(next_look - io::now().boot, Duration(0));
      if (const auto key = terminal.key(rest)) press(state, *key, snapshot, history);
      if (state.quits || interrupted != 0) return;
    } while (io::now().boot < next_look);
    snapshot = look();
  }
}

}  // namespace

int run_top(Console& console, Arguments arguments) {
  std::vector<std::string> devices;
  double interval_s = 1;
  CommandLine line("Shows peers, their throughput, handshakes and drops, live.");
  line.add_option("IFACE", devices, "only these interfaces (default: all)");
  line.add_seconds("--interval", interval_s, "time between two looks (default: 1)", 0.1, 3600);
  line.examples("ferrule top\nferrule top wg0 --interval 0.5");
  if (const auto status = read_options(line, console, arguments)) return *status;
  monitor::NameBook book(conf_of);
  const auto look = [&] {
    return monitor::take_snapshot(*console.devices, devices, book, io::now());
  };
  monitor::Snapshot first = look();
  if (!is_found(console, first, devices)) return 1;
  const auto terminal = Terminal::open();
  if (!terminal) {
    console.err.print("{} top: {}\n", console.program, terminal.error().what);
    return 1;
  }
  quit_on_signals();
  run(**terminal, std::chrono::duration_cast<Duration>(std::chrono::duration<double>(interval_s)),
      std::move(first), look);
  return 0;
}

}  // namespace ferrule::cli
