#include "cli/run/inner_tunnel.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "cli/quick/quick_command.h"
#include "cli/terminal/listener.h"
#include "client/scopes.h"
#include "crypto/random.h"
#include "files/conf_change.h"
#include "files/peer_endpoints.h"
#include "quick/child.h"
#include "quick/link.h"

#ifdef FERRULE_HAS_LWIP
#include "stack/lwip_reach.h"
#endif

namespace ferrule::cli {

namespace {

constexpr std::uint32_t kLeastIpv6Mtu = 1280;

#ifdef FERRULE_HAS_LWIP
constexpr bool kHasLwip = true;
#else
constexpr bool kHasLwip = false;
#endif

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

// What is inside, and the end of it that is ferruled's.
struct Inside {
  std::optional<netstack::Namespace> space;
  InnerStack stack;
  io::UniqueFd tun;
};

Result<Inside> open_stack(const netstack::NamespaceSettings& settings) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(system_error(errno, "open a pair of sockets"));
  }
  // ferruled is to lose nothing of what TCP may have under way; an ordinary user gets less than this.
  constexpr int kQueueBytes = 4 << 20;
  (void)::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &kQueueBytes, sizeof kQueueBytes);
  Inside inside{
      {}, {io::UniqueFd(ends[0]), {}, settings.routes, settings.mtu_bytes}, io::UniqueFd(ends[1])};
  for (const io::LinkAddress& own : settings.addresses) {
    inside.stack.addresses.push_back(own.address);
  }
  return inside;
}

// A namespace where there can be one, or what was asked for.
Result<Inside> open_inside(Console& console, const netstack::NamespaceSettings& settings,
                           const InnerTunnelOptions& options) {
  const std::string& wanted = options.reach.text;
  if (wanted == "lwip") {
    console.err.print("reach: lwip: a TCP/IP stack of its own, as was asked for\n");
    return open_stack(settings);
  }
  auto space = netstack::Namespace::open(settings);
  if (space) {
    if (options.reach.is_given) {
      console.err.print(
          "reach: namespace: a network namespace of {}'s own, with the kernel's TCP\n",
          space->is_unprivileged() ? "this user" : "root");
    }
    for (const std::string& note : space->notes()) console.err.print("Note: {}\n", note);
    io::UniqueFd tun = space->take_tun();
    return Inside{std::move(*space), {}, std::move(tun)};
  }
  if (wanted == "namespace" || options.is_for_programs || !kHasLwip) {
    return std::unexpected(space.error());
  }
  if (!options.is_quiet || options.reach.is_given) {
    console.err.print(
        "reach: lwip: a TCP/IP stack of its own, since a namespace is not to be had: {}\n",
        space.error().what);
  }
  return open_stack(settings);
}

}  // namespace

bool check_reach(Console& console, const ReachChoice& reach, bool is_for_programs) {
  std::string why;
  if (reach.text == "lwip" && is_for_programs) {
    why = "a program runs inside a namespace only: `proxy' takes this one";
  } else if (reach.text == "lwip" && !kHasLwip) {
    why = "it was not built in (FERRULE_LWIP)";
  } else if (reach.text != "auto" && reach.text != "namespace" && reach.text != "lwip") {
    why = "there is `auto', `namespace' and `lwip'";
  }
  if (why.empty()) return true;
  console.err.print("{}: --reach {}: {}\n", console.program, reach.text, why);
  return false;
}

std::unique_ptr<netstack::Reach> make_reach(InnerTunnel& tunnel, io::Loop& loop) {
#ifdef FERRULE_HAS_LWIP
  if (!tunnel.space) {
    static crypto::SystemRng rng;
    InnerStack& stack = tunnel.stack;
    return std::make_unique<stack::LwipReach>(
        loop, std::move(stack.tunnel),
        stack::LwipSettings{stack.addresses, stack.routes, stack.mtu_bytes}, rng);
  }
#else
  (void)loop;
#endif
  return std::make_unique<netstack::NamespaceReach>(*tunnel.space);
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
  auto inside = open_inside(console, settings, options);
  if (!inside) return refuse(inside.error());
  const netstack::TunnelOptions daemon{daemon_path(), file.interface, settings.mtu_bytes,
                                       options.is_quiet ? "silent" : "error"};
  auto process = netstack::TunnelProcess::start(daemon, std::move(inside->tun));
  if (!process) return refuse(process.error());
  if (auto done = configure_somehow(console, *process, change); !done) return refuse(done.error());
  auto names = NameFollower::start(console, file, process->spare());
  process->spare().close();
  if (!names) return refuse(names.error());
  return InnerTunnel{std::move(inside->space), std::move(inside->stack), std::move(*process),
                     std::move(*names)};
}

}  // namespace ferrule::cli
