#include "cli/metrics/metrics.h"

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "cli/metrics/metrics_server.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/first_look.h"
#include "cli/terminal/options.h"
#include "client/scopes.h"
#include "control/endpoint_text.h"
#include "io/clock.h"
#include "monitor/metrics_text.h"

namespace ferrule::cli {

namespace {

struct MetricsOptions {
  std::vector<std::string> devices;
  std::string listen = "127.0.0.1:9586";
  bool once = false;
};

std::optional<int> read_metrics_options(MetricsOptions& options, Console& console,
                                        Arguments arguments) {
  CommandLine line(
      "Serves the interfaces' peers, bytes, handshakes, drops and lanes to Prometheus.");
  line.add_option("IFACE", options.devices, "only these interfaces (default: all)");
  line.add_value("--listen", options.listen, "ADDRESS:PORT",
                 "where to serve http://ADDRESS:PORT/metrics (default: 127.0.0.1:9586)");
  line.add_flag("--once", options.once, "print the metrics and end, for a textfile collector");
  line.examples("ferrule metrics\nferrule metrics wg0 --listen [::1]:9586\nferrule metrics --once");
  return read_options(line, console, arguments);
}

// Until somebody ends us.
void wait_for_signal(const sigset_t& signals) {
  int number = 0;
  while (sigwait(&signals, &number) == EINTR) {
  }
}

}  // namespace

int run_metrics(Console& console, Arguments arguments) {
  MetricsOptions options;
  if (const auto status = read_metrics_options(options, console, arguments)) return *status;
  monitor::NameBook book(conf_of);
  const auto look = [&] {
    return monitor::take_snapshot(*console.devices, options.devices, book, io::now());
  };
  const monitor::Snapshot first = look();
  if (!is_found(console, first, options.devices)) return 1;
  if (options.once) {
    console.out.write(monitor::metrics_text(first));
    return 0;
  }
  const auto at = control::parse_endpoint(options.listen, client::scope_of);
  if (!at) {
    console.err.print("{} metrics: --listen {}: expected ADDRESS:PORT, such as 127.0.0.1:9586\n",
                      console.program, options.listen);
    return 1;
  }
  // Blocked before the server's thread starts, so that it is ours to take.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto server = MetricsServer::start(*at, [&] { return monitor::metrics_text(look()); });
  if (!server) {
    console.err.print("{} metrics: {}\n", console.program, server.error().what);
    return 1;
  }
  console.err.print("Serving http://{}/metrics\n",
                    Endpoint(at->address, (*server)->port()).to_string());
  console.err.flush();
  wait_for_signal(signals);
  return 0;
}

}  // namespace ferrule::cli
