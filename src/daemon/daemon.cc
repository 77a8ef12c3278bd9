#include "daemon/daemon.h"

#include <net/if.h>
#include <signal.h>

#include <utility>

#include "base/version.h"
#include "daemon/cores.h"
#include "io/clock.h"
#include "io/linux/kept_file.h"
#include "io/linux/kept_log.h"
#include "io/linux/run_folder.h"
#include "io/linux/udp.h"
#include "io/linux/unix_listener.h"
#include "service/uapi_place.h"

namespace ferrule::daemon {

namespace {

engine::UdpOpener udp_opener(bool offload) {
  std::weak_ptr<io::PortGuard> last;
  io::UdpPlace last_at;
  return
      [offload, last, last_at](const io::UdpPlace& at, std::uint32_t mark,
                               std::size_t lanes) mutable -> Result<std::vector<engine::UdpDoor>> {
        io::UdpOptions options;
        std::shared_ptr<io::PortGuard> hold = last.lock();
        if (hold && hold->port() == at.port) options.held = hold.get();
        options.at = at;
        options.mark = mark;
        options.offload = offload;
        Result<io::LinuxUdp::Group> sockets = io::LinuxUdp::open_group(options, lanes);
        if (!sockets) return std::unexpected(sockets.error());
        std::vector<std::unique_ptr<io::LinuxUdp>> all = std::move(sockets->lanes);
        if (sockets->handshakes) all.push_back(std::move(sockets->handshakes));
        // One of elsewhere would be in the way of others.
        const bool moved = at.only != last_at.only || at.interface_index != last_at.interface_index;
        if (sockets->guard || options.held == nullptr || moved) hold = std::move(sockets->guard);
        last = hold;
        last_at = at;
        std::vector<engine::UdpDoor> doors;
        for (std::unique_ptr<io::LinuxUdp>& udp : all) {
          const io::Waitable v4(udp->poll_fd(Family::v4));
          const io::Waitable v6(udp->poll_fd(Family::v6));
          doors.push_back({std::move(udp), {v4, v6}, hold});
        }
        return doors;
      };
}

std::vector<engine::TunDoor> tun_doors(const io::TunInterface& tun) {
  std::vector<engine::TunDoor> doors;
  for (std::size_t i = 0; i < tun.queue_count(); ++i) {
    doors.push_back({tun.queue(i), io::Waitable(tun.queue(i).poll_fd())});
  }
  return doors;
}

Result<io::TunInterface> open_tun(const Options& options) {
  if (options.tun_fd)
    return io::TunInterface::adopt(io::UniqueFd(*options.tun_fd), options.offload,
                                   options.tun_mtu_bytes);
  io::TunOptions tun;
  tun.name = options.interface;
  tun.offload = options.offload;
  tun.queues = options.lanes != 0 ? options.lanes : default_lanes();
  return io::TunInterface::open(tun);
}

Result<std::unique_ptr<io::Listener>> listen(const Options& options, const std::string& interface) {
  if (!options.uapi_fd) return service::listen_for_uapi(interface);
  Result<std::unique_ptr<io::UnixListener>> adopted =
      io::UnixListener::adopt(io::UniqueFd(*options.uapi_fd), service::uapi_socket_path(interface));
  if (adopted) return std::move(*adopted);
  return std::unexpected(make_error(adopted.error().code, "WG_UAPI_FD: " + adopted.error().what));
}

// In the background nobody may be reading what it says; whoever starts it in the foreground does.
StderrLog::Options log_options(const Options& options, const std::string& interface) {
  StderrLog::Options log;
  if (options.foreground || !io::make_run_folder()) return log;
  auto kept = io::KeptLog::open(io::kept_log_path(interface), interface);
  if (!kept) return log;
  kept->write("ferruled " + std::string(kVersion) + " begins");
  log.kept = std::make_shared<io::KeptLog>(std::move(*kept));
  return log;
}

}  // namespace

struct Daemon::Doors {
  std::string interface;
  std::unique_ptr<io::Poller> poller;
  std::unique_ptr<io::TunInterface> tun;
  io::LinuxNetworkView network;
  std::unique_ptr<io::Listener> listener;
};

Result<std::unique_ptr<Daemon>> Daemon::open(const Options& options, io::SignalFd signals) {
  // The socket first: that another daemon is running is the better answer than a busy interface. But
  // only an adopted interface knows its own name.
  std::optional<Result<io::TunInterface>> adopted;
  std::string interface = options.interface;
  if (options.tun_fd) {
    adopted = open_tun(options);
    if (!*adopted) return std::unexpected(adopted->error());
    interface = (*adopted)->name().value_or(interface);
  }
  Result<std::unique_ptr<io::Listener>> listener = listen(options, interface);
  if (!listener) return std::unexpected(listener.error());
  Result<io::TunInterface> opened = adopted ? std::move(*adopted) : open_tun(options);
  if (!opened) return std::unexpected(opened.error());
  auto tun = std::make_unique<io::TunInterface>(std::move(*opened));
  Result<std::unique_ptr<io::Poller>> poller = io::open_poller();
  if (!poller) return std::unexpected(poller.error());
  Result<io::LinuxNetworkView> network = io::LinuxNetworkView::open(*tun);
  if (!network) return std::unexpected(network.error());
  Doors doors{std::move(interface), std::move(*poller), std::move(tun), std::move(*network),
              std::move(*listener)};
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(doors), options, std::move(signals)));
  if (Result<void> watched = daemon->watch(); !watched) return std::unexpected(watched.error());
  return daemon;
}

Daemon::Daemon(Doors doors, const Options& options, io::SignalFd signals)
    : interface_(std::move(doors.interface)),
      log_(options.log_level, interface_, log_options(options, interface_)),
      signals_(std::move(signals)),
      poller_(std::move(doors.poller)),
      tun_(std::move(doors.tun)),
      network_(std::move(doors.network)),
      listener_(std::move(doors.listener)),
      service_(parts(options), open_state(options)) {}

service::StateKeeper* Daemon::open_state(const Options& options) {
  if (!options.state_file) return nullptr;
  Result<std::unique_ptr<io::LinuxKeptFile>> file = io::LinuxKeptFile::open(*options.state_file);
  if (!file) return &state_.emplace(std::unexpected(file.error()), log_, io::now());
  state_directory_ = (*file)->directory();
  return &state_.emplace(std::move(*file), log_, io::now());
}

service::Service::Parts Daemon::parts(const Options& options) {
  return {.log = log_,
          .rng = rng_,
          .poller = *poller_,
          .network = network_,
          .listener = *listener_,
          .scope_of = ::if_nametoindex,
          .tuns = tun_doors(*tun_),
          .open_udp = udp_opener(options.offload),
          .engine = {.workers_per_lane = workers_per_lane(tun_->queue_count()),
                     .aead = options.aead,
                     .place = options.place},
          .meanwhile = [this] { handle_signal(); }};
}

Result<void> Daemon::watch() {
  Result<void> watched =
      service_.watch(io::Waitable(signals_.poll_fd()), [this] { handle_signal(); });
  return watched ? service_.listen() : watched;
}

void Daemon::start() {
  if (log_.wants(LogLevel::error)) log_.start();
  service_.start();
}

void Daemon::handle_signal() {
  while (const std::optional<int> signal = signals_.take()) {
    if (*signal == SIGUSR1) {
      log_.write(LogLevel::error, service::describe_counters(service_.engine()));
    } else {
      service_.end("told to by a signal");
    }
  }
}

}  // namespace ferrule::daemon
