#include "cli/quick/quick_command.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>

#include "cli/peer/expired.h"
#include "cli/terminal/options.h"
#include "io/linux/kernel_query.h"
#include "quick/hooks.h"

namespace ferrule::cli {

namespace {

constexpr std::uint32_t kEthernetMtu = 1500;
// IPv6 and UDP headers and WireGuard's own, rounded up as wg-quick does.
constexpr std::uint32_t kTunnelOverhead = 80;

}  // namespace

bool is_root(Console& console) {
  if (geteuid() == 0) return true;
  console.err.print("{}: interfaces and routes are root's to change: try it with sudo\n",
                    console.program);
  return false;
}

void add_file(CLI::App& app, std::string& argument) {
  app.add_option(
         "FILE", argument,
         "the name of an interface, with its file in /etc/wireguard, or a path to NAME.conf")
      ->required();
}

std::optional<int> read_argument(Console& console, Arguments arguments,
                                 std::string_view description, std::string& argument) {
  CLI::App app{std::string(description)};
  add_file(app, argument);
  return read_options(app, console, arguments);
}

std::optional<QuickFile> read_file_to_apply(Console& console, const std::string& argument) {
  if (!is_root(console)) return std::nullopt;
  auto file = read_quick_file(console, argument);
  if (file && !leave_out_expired(console, file->document, file->configuration)) file.reset();
  return file;
}

std::optional<io::Network> open_network(Console& console) {
  auto network = io::Network::open();
  if (network) return std::move(*network);
  console.err.print("{}: {}\n", console.program, network.error().what);
  return std::nullopt;
}

std::optional<quick::LinkActions> find_link(Console& console, io::Network& network,
                                            const std::string& name) {
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(name) : std::unexpected(query.error());
  if (link) return quick::LinkActions(network, name, link->index);
  console.err.print("{}: {}\n", console.program, link.error().what);
  return std::nullopt;
}

std::optional<control::DeviceStatus> get_device(Console& console, const std::string& name) {
  auto device = console.devices->get(name);
  if (device) return std::move(*device);
  if (device.error().code == ENODEV) {
    console.err.print("{}: `{}' is not a WireGuard interface\n", console.program, name);
    const auto names = console.devices->list();
    if (names && !names->empty()) console.err.print("Up are: {}\n", fmt::join(*names, ", "));
  } else {
    console.err.print("{}: {}\n", console.program, device.error().what);
  }
  return std::nullopt;
}

std::uint32_t automatic_mtu(io::Network& network, const control::DeviceStatus& device) {
  std::uint32_t mtu = 0;
  for (const protocol::PeerStatus& peer : device.peers) {
    if (peer.endpoint.is_none()) continue;
    const auto path = network.path(peer.endpoint, device.fwmark);
    if (path) mtu = std::max(mtu, path->mtu_bytes);
  }
  if (mtu == 0) {
    const auto path = network.default_path();
    mtu = path ? path->mtu_bytes : kEthernetMtu;
  }
  return mtu > kTunnelOverhead ? mtu - kTunnelOverhead : mtu;
}

bool run_hooks(Console& console, const QuickFile& file, std::string_view key,
               const std::vector<std::string>& hooks) {
  for (const std::string& hook : hooks) {
    const auto done = quick::perform(console.err, quick::hook_action(hook, file.interface));
    if (done) continue;
    report_at(console, file, key, hook, done.error().what);
    return false;
  }
  return true;
}

}  // namespace ferrule::cli
