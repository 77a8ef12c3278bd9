#include "daemon/daemon.h"

#include <net/if.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "daemon/cores.h"
#include "io/clock.h"
#include "io/linux/udp.h"

namespace ferrule::daemon {

namespace {

constexpr Duration kLookAgainAfter = 1s;
// However reliably the system tells of an interface: what is told in one way only may be missed for ever.
constexpr Duration kLookRarely = 30s;
// That an interface goes down where we can't look is told in no way at all.
constexpr Duration kLookOften = 1s;
constexpr int kNetworkRest = 10;  // times as long as looking at what changed took

engine::UdpOpener udp_opener(bool offload) {
  std::weak_ptr<io::PortGuard> last;
  return [offload, last](std::uint16_t port, std::uint32_t mark,
                         std::size_t lanes) mutable -> Result<std::vector<engine::UdpDoor>> {
    io::UdpOptions options;
    std::shared_ptr<io::PortGuard> hold = last.lock();
    if (hold && hold->port() == port) options.held = hold.get();
    options.port = port;
    options.mark = mark;
    options.offload = offload;
    Result<io::LinuxUdp::Group> sockets = io::LinuxUdp::open_group(options, lanes);
    if (!sockets) return std::unexpected(sockets.error());
    std::vector<std::unique_ptr<io::LinuxUdp>> all = std::move(sockets->lanes);
    if (sockets->handshakes) all.push_back(std::move(sockets->handshakes));
    if (sockets->guard || options.held == nullptr) hold = std::move(sockets->guard);
    last = hold;
    std::vector<engine::UdpDoor> doors;
    for (std::unique_ptr<io::LinuxUdp>& udp : all) {
      const io::Waitable v4(udp->poll_fd(Family::v4));
      const io::Waitable v6(udp->poll_fd(Family::v6));
      doors.push_back({std::move(udp), {v4, v6}, hold});
    }
    return doors;
  };
}

protocol::SourceUse use_of(io::WayOut way) noexcept {
  switch (way) {
    case io::WayOut::chosen:
      return protocol::SourceUse::chosen;
    case io::WayOut::other:
      return protocol::SourceUse::address;
    // Nowhere: a packet filter's mark, which the kernel does not know of here, may lead on from there.
    case io::WayOut::possible:
    case io::WayOut::nowhere:
      break;
  }
  return protocol::SourceUse::possible;
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

}  // namespace

struct Daemon::Doors {
  std::string interface;
  std::unique_ptr<io::Poller> poller;
  io::TunInterface tun;
  io::InterfaceMonitor news;
  std::optional<io::InterfaceMonitor> far_news;
  io::KernelQuery kernel;
  UapiSocket socket;
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
  Result<UapiSocket> socket = options.uapi_fd
                                  ? UapiSocket::adopt(io::UniqueFd(*options.uapi_fd), interface)
                                  : UapiSocket::listen(interface);
  if (!socket) return std::unexpected(socket.error());
  Result<io::TunInterface> tun = adopted ? std::move(*adopted) : open_tun(options);
  if (!tun) return std::unexpected(tun.error());
  Result<std::unique_ptr<io::Poller>> poller = io::open_poller();
  if (!poller) return std::unexpected(poller.error());
  Result<io::InterfaceMonitor> news = io::InterfaceMonitor::open();
  if (!news) return std::unexpected(news.error());
  Result<io::InterfaceMonitor> far_news = io::InterfaceMonitor::open_everywhere();
  Result<io::KernelQuery> kernel = io::KernelQuery::open();
  if (!kernel) return std::unexpected(kernel.error());
  Doors doors{std::move(interface), std::move(*poller), std::move(*tun),   std::move(*news),
              std::nullopt,         std::move(*kernel), std::move(*socket)};
  if (far_news) doors.far_news = std::move(*far_news);
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(doors), options, std::move(signals)));
  if (Result<void> watched = daemon->watch(); !watched) return std::unexpected(watched.error());
  return daemon;
}

Daemon::Daemon(Doors doors, const Options& options, io::SignalFd signals)
    : interface_(std::move(doors.interface)),
      log_(options.log_level, interface_),
      signals_(std::move(signals)),
      poller_(std::move(doors.poller)),
      tun_(std::move(doors.tun)),
      news_(std::move(doors.news)),
      far_news_(std::move(doors.far_news)),
      kernel_(std::move(doors.kernel)),
      socket_(std::move(doors.socket)),
      engine_(tun_doors(tun_), udp_opener(options.offload), rng_, log_, [this] { poller_->wake(); },
              {.workers_per_lane = workers_per_lane(tun_.queue_count()),
               .aead = options.aead,
               .judge_source =
                   [this](const Endpoint& to, const Source& at) {
                     return use_of(kernel_.way_out(to, at, engine_.fwmark()));
                   },
               .handshake_watcher = engine::HandshakeDoor::Watcher{*poller_, kHandshakes}}),
      server_(socket_, ::if_nametoindex, engine_, log_, *poller_, kFirstClient) {
  if (!options.state_file) return;
  state_.emplace(*options.state_file, log_, io::now());
  state_->fill(engine_.device());
}

Result<void> Daemon::watch() {
  const std::array<std::pair<Tag, int>, 5> sources = {{
      {kSignal, signals_.poll_fd()},
      {kListener, socket_.poll_fd()},
      {kSocketWatch, socket_.watch_fd()},
      {kNews, news_.poll_fd()},
      {kFarNews, far_news_ ? far_news_->poll_fd() : -1},
  }};
  for (const auto& [tag, fd] : sources) {
    if (fd < 0) continue;
    if (Result<void> added = poller_->add(io::Waitable(fd), {}, tag); !added) return added;
  }
  return {};
}

void Daemon::start() {
  if (log_.wants(LogLevel::error)) log_.start();
  if (state_) state_->start([this] { poller_->wake(); });
  look_rarely();
}

void Daemon::run() {
  std::array<io::Ready, 64> room;
  while (!ended_) {
    watch_tun();
    const std::optional<Instant> next = next_deadline();
    for (const io::Ready& ready : poller_->wait(room, next)) handle(ready);
    if (next && *next <= io::now().boot) handle({.tag = kDeadline});
  }
  if (state_) state_->finish(io::now(), engine_.device());
}

std::optional<Instant> Daemon::next_deadline() noexcept {
  std::optional<Instant> next =
      std::min(engine_.next_deadline().value_or(Instant::never()), look_rarely_at_);
  const std::optional<Instant> state_at =
      state_ ? state_->next_deadline(engine_.device()) : std::nullopt;
  for (const std::optional<Instant>& at : {look_again_at_, follow_network_at_, state_at}) {
    if (at) next = std::min(next.value_or(Instant::never()), *at);
  }
  return next;
}

// Without memory (P35) the event is lost, and what it may have told of is looked at again later.
void Daemon::handle(const io::Ready& ready) noexcept {
  try {
    dispatch(ready);
    if (state_) state_->work(io::now(), engine_.device());
    const Instant now = io::now().boot;
    if (look_again_at_ && *look_again_at_ <= now) look_again();
    if (follow_network_at_ && *follow_network_at_ <= now) follow_network();
    if (look_rarely_at_ <= now) look_rarely();
  } catch (const std::bad_alloc&) {
    look_again_at_ = io::now().boot + kLookAgainAfter;
    log_.write(LogLevel::error, "out of memory: trying again");
  }
}

void Daemon::look_again() {
  if (far_news_) (void)far_news_->listen();
  follow_interface();
  follow_network();
  look_again_at_.reset();
}

void Daemon::look_rarely() {
  follow_interface();
  look_rarely_at_ = io::now().boot + (is_announced_ ? kLookRarely : kLookOften);
}

// While lanes run they find out that the interface is gone, wherever it was. While they don't, nobody
// reads from it: an interface that goes together with its network namespace is not told of otherwise.
// Nor that one comes up where we can't look: then it can be written to. Only of changes, since packets may
// lie there.
void Daemon::watch_tun() {
  const bool wanted = !engine_.lanes_run();
  if (wanted == tun_watched_) return;
  const io::Waitable tun(tun_.queue(0).poll_fd());
  if (wanted) {
    tun_watched_ = poller_->add(tun, {.writing = true, .changes = true}, kTun).has_value();
  } else {
    poller_->remove(tun);
    tun_watched_ = false;
  }
}

void Daemon::dispatch(const io::Ready& ready) {
  switch (ready.tag) {
    case kHandshakes:
      engine_.handshakes_came();
      work();
      break;
    case io::Poller::kWoken:
    case kDeadline:
      work();
      break;
    case kSignal:
      handle_signal();
      break;
    case kListener:
      server_.accept();
      break;
    case kSocketWatch:
      if (socket_.removed()) end("the UAPI socket was removed");
      break;
    case kNews:
      hear(news_);
      break;
    case kFarNews:
      hear(*far_news_);
      break;
    case kTun:
      follow_interface();
      break;
    default:
      server_.serve(ready);
      engine_.handshakes_came();  // perhaps: they do not wait for all clients whose turn it is
      work();
  }
}

void Daemon::work() {
  engine_.work(io::now());
  if (!engine_.take_tun_failed()) return;
  if (!tun_.exists()) return end("the interface is gone");
  engine_.restart_lanes(io::now());
}

void Daemon::handle_signal() {
  while (const std::optional<int> signal = signals_.take()) {
    if (*signal == SIGUSR1) {
      log_.write(LogLevel::error, service::describe_counters(engine_));
    } else {
      end("told to by a signal");
    }
  }
}

void Daemon::hear(io::InterfaceMonitor& monitor) {
  const io::NetworkChanges changes = monitor.drain();
  const bool moved = std::ranges::any_of(changes.links, &io::LinkChange::deleted);
  // Perhaps ours, into another network namespace: listen there before asking how it is (P75c).
  if (moved && far_news_) (void)far_news_->listen();
  if (changes.everything || !changes.links.empty()) follow_interface();
  // The kernel's routes follow a link that loses its carrier, or its width, without a word of their own.
  const bool links = !std::ranges::all_of(changes.links, &io::LinkChange::is_foreign);
  if (changes.everything || changes.addresses || changes.routes || links) network_changed();
}

void Daemon::network_changed() {
  kernel_.forget_way();
  if (io::now().boot >= network_rests_until_) return follow_network();
  follow_network_at_ = network_rests_until_;
}

void Daemon::follow_interface() {
  const Result<io::LinkState> state = tun_.state();
  if (!state) {
    if (!tun_.exists()) end("the interface is gone");
    return;
  }
  is_announced_ = state->is_announced;
  engine_.set_mtu(state->mtu);
  if (state->up == engine_.device().is_up()) return;
  log_.write(LogLevel::verbose, state->up ? "the interface is up" : "the interface is down");
  if (state->up) {
    engine_.up(io::now());
  } else {
    engine_.down();
  }
}

// It asks the kernel about every peer: with very many of them, and routes that change all the time, the
// control thread would do nothing else.
void Daemon::follow_network() {
  follow_network_at_.reset();
  kernel_.forget_way();
  const Instant start = io::now().boot;
  engine_.network_changed([this](const Endpoint& to, const Source& at) -> protocol::SourceVerdict {
    const std::optional<std::uint32_t> owner = kernel_.owner(at);
    if (!owner) return {protocol::SourceUse::nothing, false};
    const io::WayOut way = kernel_.way_out(to, at, engine_.fwmark());
    return {use_of(way), *owner == at.interface_index};
  });
  const Instant end = io::now().boot;
  network_rests_until_ = end + kNetworkRest * (end - start);
}

void Daemon::end(std::string_view why) noexcept {
  ended_ = true;
  log_.write_parts(LogLevel::verbose, {"ending: ", why});
}

}  // namespace ferrule::daemon
