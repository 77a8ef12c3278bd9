#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "cli/peer/peer_state.h"
#include "cli/show/show.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/json.h"
#include "cli/terminal/options.h"
#include "cli/terminal/style.h"
#include "files/conf_file.h"
#include "io/linux/kernel_query.h"
#include "monitor/snapshot.h"

namespace ferrule::cli {

namespace {

constexpr int kNotUp = 3;  // systemctl's "not active"

// A tunnel that is up, or could be.
struct Tunnel {
  std::string name;
  bool is_up = false;
  std::string trouble;  // why nobody can say
  std::size_t peers = 0;
  std::size_t connected = 0;
  std::int64_t handshake_s = 0;  // the latest; 0: none
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint16_t port = 0;
};

// A device of the kernel's answers while its link is down. One of a test has no link at all.
bool is_link_down(const std::string& name) {
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(name) : std::unexpected(query.error());
  return link && !link->up;
}

Tunnel look_at(Console& console, const std::string& name) {
  Tunnel tunnel;
  tunnel.name = name;
  const auto device = console.devices->get(name);
  if (!device) {
    if (device.error().code != ENODEV) tunnel.trouble = std::strerror(device.error().code);
    return tunnel;
  }
  tunnel.is_up = !is_link_down(name);
  tunnel.port = device->listen_port;
  tunnel.peers = device->peers.size();
  for (const protocol::PeerStatus& peer : device->peers) {
    tunnel.connected += monitor::has_session(peer, {console.now_s, 0}) ? 1u : 0u;
    tunnel.handshake_s = std::max(tunnel.handshake_s, peer.last_handshake.seconds);
    tunnel.rx_bytes += peer.rx_bytes;
    tunnel.tx_bytes += peer.tx_bytes;
  }
  return tunnel;
}

// Those that are up, and those that have a file.
std::vector<std::string> names_of_all(Console& console) {
  std::vector<std::string> names = files::interfaces_with_files();
  if (auto up = console.devices->list()) names.insert(names.end(), up->begin(), up->end());
  std::ranges::sort(names);
  const auto [twice, end] = std::ranges::unique(names);
  names.erase(twice, end);
  return names;
}

std::string_view state_of(const Tunnel& tunnel) {
  if (!tunnel.trouble.empty()) return "unknown";
  return tunnel.is_up ? "up" : "down";
}

void print_lines(Console& console, const std::vector<Tunnel>& tunnels) {
  const Style style(wants_color(console.out.fd()));
  std::size_t width = 0;
  for (const Tunnel& tunnel : tunnels) width = std::max(width, columns_of(tunnel.name));
  for (const Tunnel& tunnel : tunnels) {
    const Color color = !tunnel.trouble.empty() ? Color::yellow
                        : tunnel.is_up          ? Color::green
                                                : Color::red;
    console.out.print("{}  {}", padded(tunnel.name, width),
                      style.colored(color, fmt::format("{:<7}", state_of(tunnel))));
    if (!tunnel.trouble.empty()) {
      console.out.print("  {}", tunnel.trouble);
    } else if (tunnel.is_up) {
      console.out.print("  {} of {} peers connected", tunnel.connected, tunnel.peers);
      if (tunnel.handshake_s != 0) {
        console.out.print(", {} received, {} sent", short_size(tunnel.rx_bytes),
                          short_size(tunnel.tx_bytes));
      }
    }
    console.out.write("\n");
  }
}

// "wg0 office?": those that are up; nobody is connected to one with a question mark, and one with an
// exclamation mark should be up and is not.
void print_short(Output& out, const std::vector<Tunnel>& tunnels, bool are_named) {
  std::string text;
  for (const Tunnel& tunnel : tunnels) {
    if (!tunnel.is_up && !are_named) continue;
    if (!text.empty()) text += ' ';
    text += tunnel.name;
    if (!tunnel.is_up) text += '!';
    if (tunnel.is_up && tunnel.connected == 0) text += '?';
  }
  if (!text.empty()) out.print("{}\n", text);
}

Json json_of(const Tunnel& tunnel) {
  Json json = {{"interface", tunnel.name}, {"state", state_of(tunnel)}};
  if (!tunnel.trouble.empty()) json["trouble"] = tunnel.trouble;
  if (!tunnel.is_up) return json;
  json["listenPort"] = tunnel.port;
  json["peers"] = tunnel.peers;
  json["connected"] = tunnel.connected;
  json["latestHandshake"] = tunnel.handshake_s;
  json["transferRx"] = tunnel.rx_bytes;
  json["transferTx"] = tunnel.tx_bytes;
  return json;
}

void print_json(Output& out, const std::vector<Tunnel>& tunnels) {
  Json json = {{"version", kJsonVersion}};
  Json& list = json["tunnels"] = Json::array();
  for (const Tunnel& tunnel : tunnels) list.push_back(json_of(tunnel));
  out.print("{}\n", to_line(json));
}

}  // namespace

int run_status(Console& console, Arguments arguments) {
  std::vector<std::string> names;
  bool is_json = false;
  bool is_short = false;
  CommandLine line(
      "Shows which tunnels are up, a line each. The status is 0 when all that are named are up, or "
      "any where none is named, and else 3.");
  line.add_option("IFACE", names,
                  "only these interfaces (default: all that are up or have a file)");
  line.add_flag("--json", is_json, "print it as JSON");
  line.add_flag("--short", is_short, "print just names, for a prompt: `wg0?' has no peer connected")
      .excludes("--json");
  line.examples(
      "ferrule status\nferrule status wg0 && echo up\nPS1='$(ferrule status --short) \\$ '");
  if (const auto status = read_options(line, console, arguments)) return *status;
  std::vector<Tunnel> tunnels;
  const bool are_named = !names.empty();
  for (const std::string& name : are_named ? names : names_of_all(console)) {
    tunnels.push_back(look_at(console, name));
  }
  if (is_json) {
    print_json(console.out, tunnels);
  } else if (is_short) {
    print_short(console.out, tunnels, are_named);
  } else if (tunnels.empty()) {
    console.out.write(
        "There is no tunnel yet: `ferrule init wg0' makes one, `ferrule import' takes "
        "over another's.\n");
  } else {
    print_lines(console, tunnels);
  }
  const auto is_up = [](const Tunnel& tunnel) { return tunnel.is_up; };
  const bool is_good =
      are_named ? std::ranges::all_of(tunnels, is_up) : std::ranges::any_of(tunnels, is_up);
  return is_good ? 0 : kNotUp;
}

}  // namespace ferrule::cli
