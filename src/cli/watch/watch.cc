#include "cli/watch/watch.h"

#include <fmt/chrono.h>

#include <chrono>
#include <string>
#include <thread>

#include "base/key_text.h"
#include "cli/show/show_text.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/first_look.h"
#include "cli/terminal/json.h"
#include "cli/terminal/options.h"
#include "client/scopes.h"
#include "io/clock.h"

namespace ferrule::cli {

namespace {

std::string time_text(const WallTime& at) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(at.seconds)));
}

std::string endpoint_or(const Endpoint& endpoint, std::string_view otherwise) {
  return endpoint.is_none() ? std::string(otherwise) : client::text_of(endpoint);
}

// What a person wants to read of it.
std::string in_words(const monitor::Event& event) {
  switch (event.kind) {
    case monitor::EventKind::device_appeared:
      return "interface is there";
    case monitor::EventKind::device_vanished:
      return "interface is gone";
    case monitor::EventKind::peer_added:
      return "added";
    case monitor::EventKind::peer_removed:
      return "removed";
    case monitor::EventKind::connected:
      return "connected, at " + endpoint_or(event.to, "an unknown endpoint");
    case monitor::EventKind::quiet:
      return "went quiet: no handshake for 3 minutes";
    case monitor::EventKind::roamed:
      return fmt::format("roamed from {} to {}", endpoint_or(event.from, "nowhere"),
                         endpoint_or(event.to, "nowhere"));
    case monitor::EventKind::no_answer:
      return "does not answer handshakes at " + endpoint_or(event.to, "an unknown endpoint");
    case monitor::EventKind::refused:
      return fmt::format("dropped {}: {}", event.count, event.reason);
  }
  return {};
}

constexpr double kLongest_s = 1e9;

struct WatchOptions {
  std::vector<std::string> devices;
  bool is_json = false;
  double interval_s = 1;
  double for_s = 0;  // 0: until interrupted
};

std::optional<int> read_watch_options(WatchOptions& options, Console& console,
                                      Arguments arguments) {
  CommandLine line(
      "Prints peers connecting, going quiet and roaming, handshakes without an answer, and what is "
      "dropped, as it happens.");
  line.add_option("IFACE", options.devices, "only these interfaces (default: all)");
  line.add_flag("--json", options.is_json, "print a JSON object a line");
  line.add_seconds("--interval", options.interval_s, "time between two looks (default: 1)", 0.05,
                   3600);
  line.add_seconds("--for", options.for_s, "end after so long (default: never)", 0, kLongest_s);
  line.examples("ferrule watch\nferrule watch wg0 --json --for 60");
  return read_options(line, console, arguments);
}

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

}  // namespace

void print_event(Output& out, const monitor::Event& event, const WallTime& at) {
  out.print("{}  {}  ", time_text(at), event.device);
  if (event.peer) out.print("{}  ", to_base64(*event.peer));
  if (!event.name.empty()) out.print("({})  ", event.name);
  out.print("{}\n", in_words(event));
}

void print_event_json(Output& out, const monitor::Event& event, const WallTime& at) {
  Json line{{"version", kJsonVersion},
            {"time", time_text(at)},
            {"event", name_of(event.kind)},
            {"interface", event.device}};
  if (event.peer) line["peer"] = to_base64(*event.peer);
  if (!event.name.empty()) line["name"] = event.name;
  if (!event.from.is_none()) line["from"] = client::text_of(event.from);
  if (!event.to.is_none()) line["endpoint"] = client::text_of(event.to);
  if (event.kind == monitor::EventKind::refused) {
    line["reason"] = event.reason;
    line["count"] = event.count;
  }
  out.print("{}\n", to_line(line));
}

int run_watch(Console& console, Arguments arguments) {
  WatchOptions options;
  if (const auto status = read_watch_options(options, console, arguments)) return *status;
  monitor::EventFinder finder;
  monitor::NameBook book(conf_of);
  const auto look = [&] {
    return monitor::take_snapshot(*console.devices, options.devices, book, io::now());
  };
  monitor::Snapshot snapshot = look();
  if (!is_found(console, snapshot, options.devices)) return 1;
  const Instant started = snapshot.now.boot;
  for (;; snapshot = look()) {
    for (const monitor::Event& event : finder.look(snapshot)) {
      options.is_json ? print_event_json(console.out, event, snapshot.now.wall)
                      : print_event(console.out, event, snapshot.now.wall);
    }
    if (console.out.flush() != 0) return 1;
    if (options.for_s > 0 && io::now().boot - started >= seconds(options.for_s)) return 0;
    std::this_thread::sleep_for(seconds(options.interval_s));
  }
}

}  // namespace ferrule::cli
