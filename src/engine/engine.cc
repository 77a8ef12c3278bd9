#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/check.h"
#include "io/clock.h"

namespace ferrule::engine {

namespace {

std::uint64_t random_salt(Rng& rng) {
  std::array<std::uint8_t, 8> bytes{};
  (void)rng.fill(bytes);  // without randomness there are no handshakes to queue either (P35)
  return load_le64(bytes.data());
}

// Readers of the tables: the workers of all lanes, then the control thread.
std::size_t reader_count(std::size_t lanes, std::size_t workers) { return lanes * workers + 1; }

}  // namespace

Engine::Engine(std::vector<TunDoor> tuns, UdpOpener open_udp, Rng& rng, Log& log,
               std::function<void()> wake, EngineOptions options)
    : log_(log),
      locks_(reader_count(tuns.size(), options.workers_per_lane)),
      inbox_(std::move(wake)),
      intake_(random_salt(rng), [this] { inbox_.rouse(); }),
      aead_(options.aead != nullptr ? *options.aead : crypto::best_aead_backend()),
      device_(rng, aead_, locks_, log),
      control_(device_, inbox_, intake_,
               [this](std::span<const PeerId> peers) {
                 for (const auto& crew : crews_) crew->flush(peers);
               }),
      open_udp_(std::move(open_udp)),
      goes_on_(std::move(options.goes_on)),
      route_marks_(options.route_marks),
      tuns_(std::move(tuns)) {
  device_.judge_sources(std::move(options.judge_source));
  device_.yield_to([this] { yield(); });
  for (std::size_t i = 0; i < tuns_.size(); ++i) {
    const LaneParts parts{device_.data_path(), locks_, aead_, inbox_, intake_, tuns_[i].tun};
    lanes_.push_back(std::make_unique<Lane>(static_cast<std::uint16_t>(i), parts));
    crews_.push_back(std::make_unique<Crew>(*lanes_[i], options.workers_per_lane,
                                            i * options.workers_per_lane, options.open_poller));
  }
  if (options.handshake_watcher) {
    const LaneParts parts{device_.data_path(), locks_, aead_, inbox_, intake_, tuns_.front().tun};
    handshake_door_.emplace(*options.handshake_watcher, parts,
                            reader_count(tuns_.size(), options.workers_per_lane) - 1);
    intake_.attach(&*handshake_door_);
  }
}

Engine::~Engine() { stop_lanes(); }

void Engine::stop_lanes() {
  lanes_run_ = false;
  for (const auto& crew : crews_) crew->stop();
  for (const auto& lane : lanes_) lane->set_udp(nullptr);
  if (handshake_door_) handshake_door_->close();
}

void Engine::work(const Now& now) {
  inbox_.settle();
  if (inbox_.take_socket_died()) replace_dead_socket(now);
  if (bind_again_at_ && *bind_again_at_ <= now.boot) try_bind(now);
  if (restart_at_ && *restart_at_ <= now.boot) try_restart(now);
  control_.work(now, udp());
  free_discarded();
}

// A turn in the middle of a long call of the device's. Sockets stay as they are until that is over.
void Engine::yield() {
  handshakes_came();  // perhaps: nobody waits for them now
  control_.work(io::now(), udp());
  inbox_.rouse();  // for what is not done here
  if (goes_on_ && !goes_on_()) device_.abandon();
}

void Engine::discard(protocol::DeviceChange change) noexcept {
  if (change.peers.empty()) return;
  try {
    discarded_.push_back(std::move(change.peers));
  } catch (const std::bad_alloc&) {
    return;  // all at once, then
  }
  inbox_.rouse();
}

// What fits into one block has taken some ten microseconds to make.
void Engine::free_discarded() noexcept {
  if (discarded_.empty()) return;
  Segments<protocol::PeerChange>& peers = discarded_.back();
  freed_ += peers.kSegment;
  peers.forget_before(freed_);
  if (freed_ >= peers.size()) {
    discarded_.pop_back();
    freed_ = 0;
  }
  if (!discarded_.empty()) inbox_.rouse();
}

std::optional<Instant> Engine::next_deadline() {
  std::optional<Instant> next = bind_again_at_;
  const auto sooner = [&](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  sooner(restart_at_);
  sooner(intake_.next_deadline());
  if (const auto deadline = device_.next_deadline()) sooner(deadline->at);
  return next;
}

std::vector<Engine::LaneWork> Engine::lane_work() const {
  std::vector<LaneWork> work;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    work.push_back(
        {lanes_[i]->outbound.packets(), lanes_[i]->inbound.packets(), crews_[i]->cpu_time()});
  }
  return work;
}

bool Engine::has_handshake_socket() const noexcept { return sockets_.size() > lanes_.size(); }

// Its own, where it has one: what it sends in a flood takes nothing of a lane's send buffer then.
io::Udp* Engine::udp() const noexcept {
  if (sockets_.empty()) return nullptr;
  return (has_handshake_socket() ? sockets_.back() : sockets_.front()).udp.get();
}

Result<void> Engine::start_lanes() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i]->set_udp(sockets_[i].udp.get());
    const Crew::Doors doors{tuns_[i].waitable, sockets_[i].waitables};
    if (Result<void> started = crews_[i]->start(doors); !started) {
      stop_lanes();
      return started;
    }
  }
  lanes_run_ = true;
  restart_at_.reset();
  if (!has_handshake_socket()) return {};
  FERRULE_CHECK(handshake_door_.has_value());
  Result<void> opened = handshake_door_->open(sockets_.back());
  if (!opened) stop_lanes();
  return opened;
}

void Engine::restart_lanes(const Now& now) {
  const Instant earliest = restarted_at_ ? *restarted_at_ + kBindRetry : now.boot;
  restart_at_ = std::max(now.boot, earliest);
  if (failure_told_at_ && now.boot < *failure_told_at_ + kTellFailureAgain) return;
  failure_told_at_ = now.boot;
  log_.write(LogLevel::error, "the tunnel interface failed, and is still there: starting again");
}

void Engine::try_restart(const Now& now) {
  restart_at_.reset();
  if (!lanes_run_) return;  // they are to be started in any case, or not at all
  stop_lanes();
  restarted_at_ = now.boot;
  if (!start_lanes()) bind_again_at_ = now.boot + kBindRetry;
}

Result<std::vector<UdpDoor>> Engine::open_sockets(std::uint16_t port) {
  try {
    return open_udp_(port, mark_, lanes_.size());
  } catch (const std::bad_alloc&) {
    return std::unexpected(system_error(std::errc::not_enough_memory, "open sockets"));
  }
}

// On failure everything is as it was.
Result<void> Engine::bind(const Now& now, std::uint16_t port) {
  Result<std::vector<UdpDoor>> sockets = open_sockets(port);
  if (!sockets) return std::unexpected(sockets.error());
  stop_lanes();
  (void)inbox_.take_socket_died();  // said of the old ones
  std::vector<UdpDoor> old = std::exchange(sockets_, std::move(*sockets));
  if (Result<void> started = start_lanes(); !started) {
    sockets_ = std::move(old);
    if (!sockets_.empty() && !start_lanes()) bind_again_at_ = now.boot + kBindRetry;
    return started;
  }
  port_ = sockets_.front().udp->port();
  hold_ = sockets_.front().hold;
  bound_at_ = now.boot;
  return {};
}

void Engine::try_bind(const Now& now) {
  bind_again_at_.reset();
  if (!device_.is_up()) return;
  stop_lanes();
  sockets_.clear();                 // or the port would still be ours
  (void)inbox_.take_socket_died();  // said of those
  const Result<void> bound = bind(now, port_);
  const int error = bound ? 0 : bound.error().code;
  // Once, and not every second.
  if (error != 0 && error != bind_error_) {
    log_.write_parts(LogLevel::error, {bound.error().what, "; trying again"});
  }
  bind_error_ = error;
  if (!bound) bind_again_at_ = now.boot + kBindRetry;
}

// At once, but not again and again: other lanes go on meanwhile.
void Engine::replace_dead_socket(const Now& now) {
  if (bound_at_ && now.boot < *bound_at_ + kBindRetry) {
    bind_again_at_ = *bound_at_ + kBindRetry;
  } else {
    try_bind(now);
  }
}

void Engine::up(const Now& now) {
  if (device_.is_up()) return;
  device_.up();
  try_bind(now);
  control_.work(now, udp());
}

void Engine::down() {
  device_.down();
  stop_lanes();
  sockets_.clear();
  bind_again_at_.reset();
  restart_at_.reset();
  bind_error_ = 0;
}

void Engine::network_changed(protocol::SourceCheck check) {
  for (const UdpDoor& door : sockets_) door.udp->forget_paths();
  device_.check_sources(std::move(check));
  inbox_.rouse();
}

Result<void> Engine::apply(const Now& now, protocol::DeviceChange change) {
  if (Result<void> fits = device_.prepare(change); !fits) {
    discard(std::move(change));
    return fits;
  }
  if (Result<void> changed = change_sockets(now, change); !changed) {
    device_.unprepare();
    discard(std::move(change));
    return changed;
  }
  device_.apply(now, std::move(change), control_.outbox());
  control_.send(udp());
  if (!device_.is_abandoned()) return {};
  return std::unexpected(system_error(std::errc::operation_canceled, "apply a change"));
}

Result<void> Engine::change_sockets(const Now& now, const protocol::DeviceChange& change) {
  const std::uint32_t old_mark = mark_;
  if (change.fwmark && *change.fwmark != mark_) {
    if (Result<void> set = change_mark(*change.fwmark); !set) return set;
  }
  if (change.listen_port && (*change.listen_port != port_ || port_ == 0 || sockets_.empty())) {
    if (Result<void> changed = change_port(now, *change.listen_port); !changed) {
      (void)change_mark(old_mark);
      return changed;
    }
    bind_again_at_.reset();
    device_.forget_sources();  // P75
  }
  return {};
}

Result<void> Engine::change_port(const Now& now, std::uint16_t port) {
  if (device_.is_up()) return bind(now, port);
  std::shared_ptr<const void> hold;
  // Whoever brings the interface up can't be told that its port is taken: who asks for the port is.
  if (port != 0) {
    const auto sockets = open_sockets(port);
    if (!sockets) return std::unexpected(sockets.error());
    hold = sockets->front().hold;
  }
  if (hold_) hold_ = std::move(hold);  // an interface that was up keeps its port while it is down
  port_ = port;
  return {};
}

Result<void> Engine::change_mark(std::uint32_t mark) {
  // Sockets would say so themselves, but there may be none now.
  if (mark != 0 && !route_marks_) return std::unexpected(io::no_route_marks());
  for (const UdpDoor& door : sockets_) {
    if (Result<void> set = door.udp->set_route_mark(mark); !set) {
      for (const UdpDoor& marked : sockets_) (void)marked.udp->set_route_mark(mark_);
      return set;
    }
  }
  mark_ = mark;
  device_.forget_sources();  // P75
  return {};
}

}  // namespace ferrule::engine
