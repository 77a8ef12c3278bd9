#include "engine/engine.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <system_error>
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

Error not_there(const std::vector<std::string>& missing) {
  std::string what = "bind:";
  for (std::size_t i = 0; i < missing.size(); ++i) what += (i == 0 ? " " : ", ") + missing[i];
  return make_error(std::errc::address_not_available,
                    what + (missing.size() == 1 ? " is" : " are") + " not on this machine now");
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
      find_place_(std::move(options.find_place)),
      goes_on_(std::move(options.goes_on)),
      route_marks_(options.route_marks),
      tuns_(std::move(tuns)),
      place_(std::move(options.place)) {
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

FoundPlace Engine::find_place() const {
  if (!place_.is_anywhere() && find_place_) return find_place_(place_);
  return {};
}

Result<std::vector<UdpDoor>> Engine::open_sockets(const io::UdpPlace& at) {
  try {
    return open_udp_(at, mark_, lanes_.size());
  } catch (const std::bad_alloc&) {
    return std::unexpected(system_error(std::errc::not_enough_memory, "open sockets"));
  }
}

// On failure everything is as it was.
Result<void> Engine::bind(const Now& now, std::uint16_t port) {
  FoundPlace found = find_place();
  if (!found.is_there) return std::unexpected(not_there(found.missing));
  io::UdpPlace at = found.at;
  at.port = port;
  Result<std::vector<UdpDoor>> sockets = open_sockets(at);
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
  bound_to_ = found.at;
  tell_missing(found.missing);
  return {};
}

// Once, and not whenever sockets are bound.
void Engine::tell_missing(const std::vector<std::string>& missing) {
  if (missing == missing_) return;
  missing_ = missing;
  if (missing.empty()) {
    log_.write(LogLevel::verbose, "bind: all that was asked for is there");
  } else {
    log_.write_parts(LogLevel::error, {not_there(missing).what, "; bound to the rest alone"});
  }
}

void Engine::close_sockets() {
  stop_lanes();
  sockets_.clear();
  (void)inbox_.take_socket_died();  // said of those
}

void Engine::try_bind(const Now& now) {
  bind_again_at_.reset();
  if (!device_.is_up()) return;
  close_sockets();  // or the port would still be ours
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
  missing_.clear();
}

// An address or an interface of the place may have come or gone, or come back as another one.
void Engine::follow_place(const Now& now) {
  if (place_.is_anywhere() || !device_.is_up()) return;
  const FoundPlace found = find_place();
  const bool is_as_it_should =
      sockets_.empty() ? !found.is_there : found.is_there && found.at == bound_to_;
  if (!is_as_it_should) try_bind(now);
}

void Engine::network_changed(const Now& now, protocol::SourceCheck check) {
  follow_place(now);
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
  LocalPlace place = place_;
  if (change.bind) place.addresses = *change.bind;
  if (change.bind_interface) place.interface = *change.bind_interface;
  const bool other_port =
      change.listen_port && (*change.listen_port != port_ || port_ == 0 || sockets_.empty());
  if (!other_port && place == place_) return {};
  const std::uint16_t port = change.listen_port.value_or(port_);
  if (Result<void> changed = change_place(now, port, std::move(place)); !changed) {
    (void)change_mark(old_mark);
    return changed;
  }
  device_.forget_sources();  // P75
  return {};
}

// What is not there now will be bound to when it is: that is no reason to refuse.
Result<void> Engine::change_place(const Now& now, std::uint16_t port, LocalPlace place) {
  const bool moves = place != place_;
  const LocalPlace old = std::exchange(place_, std::move(place));
  const bool is_there = find_place().is_there;
  // All addresses and one of them can't be bound at once.
  const bool closes = (moves && port == port_) || !is_there;
  if (closes) close_sockets();
  if (!is_there) {
    if (port != port_) hold_.reset();
    port_ = port;
    bind_error_ = 0;
    bind_again_at_.reset();
    if (device_.is_up()) bind_again_at_ = now.boot;
    return {};
  }
  Result<void> changed = change_port(now, port);
  if (changed) {
    bind_again_at_.reset();
    return changed;
  }
  place_ = old;
  if (closes && device_.is_up()) try_bind(now);
  return changed;
}

Result<void> Engine::change_port(const Now& now, std::uint16_t port) {
  if (device_.is_up()) return bind(now, port);
  std::shared_ptr<const void> hold;
  // Whoever brings the interface up can't be told that its port is taken: who asks for the port is.
  if (port != 0) {
    io::UdpPlace at = find_place().at;
    at.port = port;
    const auto sockets = open_sockets(at);
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
