#include "cli/run/inner_tunnel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "cli/quick/quick_command.h"
#include "cli/terminal/listener.h"
#include "client/scopes.h"
#include "files/conf_change.h"
#include "files/peer_endpoints.h"
#include "quick/child.h"
#include "quick/link.h"

namespace ferrule::cli {

namespace {

constexpr std::uint32_t kLeastIpv6Mtu = 1280;

// Beside this program, or where the shell would find it.
std::string daemon_path() {
  const std::string beside = quick::own_folder() + "/ferruled";
  if (const auto found = quick::find_program(beside)) return *found;
  return quick::find_program("ferruled").value_or(beside);
}

// What a file says to a machine whose root reads it, and means nothing here.
void tell_what_is_left_out(Console& console, const QuickFile& file) {
  const control::InterfaceConf& conf = file.configuration.interface;
  if (!conf.pre_up.empty() || !conf.post_up.empty() || !conf.pre_down.empty() ||
      !conf.post_down.empty()) {
    console.err.print("Note: PreUp, PostUp, PreDown and PostDown of {} are not run here\n",
                      file.path);
  }
  if (conf.fwmark.value_or(0) != 0) {
    console.err.print("Note: FwMark of {} is left out: it needs rights\n", file.path);
  }
}

std::string resolv_conf_of(const QuickFile& file) {
  const control::InterfaceConf& conf = file.configuration.interface;
  std::string text = fmt::format("# The DNS of {}, by `ferrule run'.\n", file.path);
  for (const IpAddress& server : conf.dns_servers) {
    text += fmt::format("nameserver {}\n", server.to_string());
  }
  if (!conf.dns_search.empty()) {
    text += "search";
    for (const std::string& domain : conf.dns_search) text += ' ' + domain;
    text += '\n';
  }
  return text;
}

std::uint32_t mtu_of(Console& console, const QuickFile& file,
                     const protocol::DeviceChange& change) {
  const control::InterfaceConf& conf = file.configuration.interface;
  if (conf.mtu_bytes) return *conf.mtu_bytes;
  auto network = open_network(console);
  if (!network) return 0;
  control::DeviceStatus device;
  for (const protocol::PeerChange& peer : change.peers) {
    device.peers.emplace_back().endpoint = peer.endpoint.value_or(Endpoint());
  }
  const std::uint32_t mtu = quick::automatic_mtu(*network, device);
  const bool has_v6 = std::ranges::any_of(
      conf.addresses, [](const auto& own) { return own.address.family() == Family::v6; });
  return has_v6 ? std::max(mtu, kLeastIpv6Mtu) : mtu;
}

netstack::NamespaceSettings settings_for(const QuickFile& file,
                                         const protocol::DeviceChange& change, bool for_programs) {
  const control::InterfaceConf& conf = file.configuration.interface;
  netstack::NamespaceSettings settings;
  settings.interface = file.interface;
  for (const control::InterfaceAddress& address : conf.addresses) {
    settings.addresses.push_back({address.address, address.prefix_length});
  }
  for (const protocol::PeerChange& peer : change.peers) {
    for (const protocol::AllowedIpChange& allowed : peer.allowed_ips) {
      if (!allowed.remove) settings.routes.push_back(allowed.cidr);
    }
  }
  if (!for_programs) return settings;
  settings.files.emplace();
  if (!conf.dns_servers.empty()) settings.files->resolv_conf = resolv_conf_of(file);
  return settings;
}

Result<void> configure(netstack::TunnelProcess& process, const protocol::DeviceChange& change) {
  control::UapiAnswer answer(client::scope_of);
  return process.ask(control::set_request(change, client::scope_name).view(), answer);
}

// A port that is taken, by the same tunnel of the machine's say, is not worth giving up for.
Result<void> configure_somehow(Console& console, netstack::TunnelProcess& process,
                               protocol::DeviceChange& change) {
  auto done = configure(process, change);
  if (done || done.error().code != EADDRINUSE || change.listen_port.value_or(0) == 0) return done;
  console.err.print("Note: port {} is taken: this tunnel goes by another\n", *change.listen_port);
  change.listen_port = 0;
  return configure(process, change);
}

}  // namespace

bool check_reach(Console& console, const ReachChoice& reach) {
  if (reach.text == "auto" || reach.text == "namespace") return true;
  console.err.print(
      "{}: there is no reach `{}': it is `auto' or `namespace', which is what `auto' chooses\n",
      console.program, reach.text);
  return false;
}

std::optional<InnerTunnel> start_inner_tunnel(Console& console, QuickFile& file,
                                              const InnerTunnelOptions& options) {
  const auto refuse = [&](const Error& error) {
    console.err.print("{}: {}\n", console.program, error.what);
    return std::nullopt;
  };
  tell_what_is_left_out(console, file);
  ConsoleListener listener(console);
  const auto endpoints = files::look_up_endpoints(listener, file.configuration);
  for (const files::PeerEndpoint& endpoint : endpoints) {
    if (endpoint.why_not.empty()) continue;
    console.err.print("{}: {}\n", console.program, endpoint.why_not);
    return std::nullopt;
  }
  protocol::DeviceChange change = files::take_change(file.configuration, endpoints);
  change.fwmark.reset();
  netstack::NamespaceSettings settings = settings_for(file, change, options.is_for_programs);
  settings.mtu_bytes = mtu_of(console, file, change);
  if (settings.mtu_bytes == 0) return std::nullopt;
  console.err.flush();
  auto space = netstack::Namespace::open(settings);
  if (!space) return refuse(space.error());
  if (options.reach.is_given) {
    console.err.print("reach: namespace: a network namespace of {}'s own, with the kernel's TCP\n",
                      space->is_unprivileged() ? "this user" : "root");
  }
  for (const std::string& note : space->notes()) console.err.print("Note: {}\n", note);
  const netstack::TunnelOptions daemon{daemon_path(), file.interface, settings.mtu_bytes,
                                       options.is_quiet ? "silent" : "error"};
  auto process = netstack::TunnelProcess::start(daemon, space->take_tun());
  if (!process) return refuse(process.error());
  if (auto done = configure_somehow(console, *process, change); !done) return refuse(done.error());
  auto names = NameFollower::start(console, file, process->spare());
  process->spare().close();
  if (!names) return refuse(names.error());
  return InnerTunnel{std::move(*space), std::move(*process), std::move(*names)};
}

}  // namespace ferrule::cli
