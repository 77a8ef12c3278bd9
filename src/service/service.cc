#include "service/service.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/check.h"
#include "io/clock.h"

namespace ferrule::service {

namespace {

constexpr Duration kLookAgainAfter = 1s;
constexpr int kNetworkRest = 10;  // times as long as looking at what changed took

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

}  // namespace

Service::Service(Parts parts, StateKeeper* state)
    : log_(parts.log),
      poller_(parts.poller),
      network_(parts.network),
      listener_(parts.listener),
      scope_of_(parts.scope_of),
      looks_(parts.looks),
      tun_(parts.tuns.front().waitable),
      engine_(
          std::move(parts.tuns), std::move(parts.open_udp), parts.rng, log_,
          [this] { poller_.wake(); },
          [&] {
            engine::EngineOptions options = std::move(parts.engine);
            options.judge_source = [this](const Endpoint& to, const Source& at) {
              return use_of(network_.way_out(to, at, engine_.fwmark()));
            };
            options.find_place = [this](const LocalPlace& place) { return find_place(place); };
            options.goes_on = [this] { return goes_on(); };
            options.handshake_watcher.emplace(poller_, kHandshakes);
            return options;
          }()),
      server_(parts.listener, std::move(parts.scope_of), engine_, log_, poller_, kFirstClient),
      state_(state),
      meanwhile_(std::move(parts.meanwhile)) {
  if (state_ != nullptr) state_->fill(engine_.device());
}

Result<void> Service::watch(io::Waitable what, std::function<void()> came) {
  const std::uint64_t tag = kFirstOther + others_.size();
  FERRULE_CHECK(tag < kFirstClient);
  Result<void> added = poller_.add(what, {}, tag);
  if (added) others_.push_back(std::move(came));
  return added;
}

Result<void> Service::listen() {
  for (const io::Waitable news : network_.waitables()) {
    if (Result<void> added = poller_.add(news, {}, kNews); !added) return added;
  }
  if (const io::Waitable place = listener_.place_waitable()) {
    if (Result<void> added = poller_.add(place, {}, kPlace); !added) return added;
  }
  return poller_.add(listener_.waitable(), {}, kListener);
}

void Service::start() {
  if (state_ != nullptr) state_->start([this] { poller_.wake(); });
  look_rarely();
}

void Service::run() {
  std::array<io::Ready, 64> room;
  while (!ended_) {
    watch_tun();
    const std::optional<Instant> next = next_deadline();
    for (const io::Ready& ready : poller_.wait(room, next)) handle(ready);
    if (next && *next <= io::now().boot) handle({.tag = kDeadline});
  }
  if (state_ != nullptr) state_->finish(io::now(), engine_.device());
}

std::optional<Instant> Service::next_deadline() noexcept {
  Instant next = std::min(engine_.next_deadline().value_or(Instant::never()), look_rarely_at_);
  const std::optional<Instant> state_at =
      state_ != nullptr ? state_->next_deadline(engine_.device()) : std::nullopt;
  for (const std::optional<Instant>& at : {look_again_at_, follow_network_at_, state_at}) {
    if (at) next = std::min(next, *at);
  }
  return next;
}

// Without memory (P35) the event is lost, and what it may have told of is looked at again later.
void Service::handle(const io::Ready& ready) noexcept {
  try {
    dispatch(ready);
    if (state_ != nullptr) state_->work(io::now(), engine_.device());
    const Instant now = io::now().boot;
    if (look_again_at_ && *look_again_at_ <= now) look_again();
    if (follow_network_at_ && *follow_network_at_ <= now) follow_network();
    if (look_rarely_at_ <= now) look_rarely();
  } catch (const std::bad_alloc&) {
    look_again_at_ = io::now().boot + kLookAgainAfter;
    log_.write(LogLevel::error, "out of memory: trying again");
  }
}

void Service::look_again() {
  network_.listen_anew();
  follow_interface();
  follow_network();
  look_again_at_.reset();
}

void Service::look_rarely() {
  follow_interface();
  look_rarely_at_ = io::now().boot + (is_announced_ ? looks_.rarely : looks_.often);
}

// While lanes run they find out that the interface is gone, wherever it was. While they don't, nobody
// reads from it: an interface that goes together with its network namespace is not told of otherwise.
// Nor that one comes up where we can't look: then it can be written to. Only of changes, since packets may
// lie there.
void Service::watch_tun() {
  const bool wanted = !engine_.lanes_run();
  if (wanted == tun_watched_) return;
  if (wanted) {
    tun_watched_ = poller_.add(tun_, {.writing = true, .changes = true}, kTun).has_value();
  } else {
    poller_.remove(tun_);
    tun_watched_ = false;
  }
}

void Service::dispatch(const io::Ready& ready) {
  switch (ready.tag) {
    case kHandshakes:
      engine_.handshakes_came();
      return work();
    case io::Poller::kWoken:
    case kDeadline:
      return work();
    case kListener:
      return server_.accept();
    case kPlace:
      return look_at_listener();
    case kNews:
      return hear();
    case kTun:
      return follow_interface();
    default:
      break;
  }
  if (ready.tag < kFirstClient) return others_[ready.tag - kFirstOther]();
  server_.serve(ready);
  engine_.handshakes_came();  // perhaps: they do not wait for all clients whose turn it is
  work();
}

void Service::work() {
  engine_.work(io::now());
  if (following_since_ && !engine_.device().checks_sources()) end_following_network();
  if (!engine_.take_tun_failed()) return;
  if (!network_.link_exists()) return end("the interface is gone");
  engine_.restart_lanes(io::now());
}

void Service::look_at_listener() {
  if (!ended_ && listener_.is_gone()) end("the UAPI socket was removed");
}

void Service::hear() {
  const io::NetworkView::News news = network_.take_news();
  if (news.link) follow_interface();
  if (news.network) network_changed();
}

void Service::network_changed() {
  network_.forget_ways();
  if (following_since_) {
    changed_meanwhile_ = true;
  } else if (io::now().boot >= network_rests_until_) {
    follow_network();
  } else {
    follow_network_at_ = network_rests_until_;
  }
}

void Service::follow_interface() {
  const Result<io::LinkState> state = network_.link();
  if (!state) {
    if (!network_.link_exists()) end("the interface is gone");
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

// It asks the system about every peer: with very many of them, and routes that change all the time, the
// control thread would do nothing else.
void Service::follow_network() {
  follow_network_at_.reset();
  network_.forget_ways();
  following_since_ = io::now().boot;
  changed_meanwhile_ = false;
  engine_.network_changed(io::now(),
                          [this](const Endpoint& to, const Source& at) -> protocol::SourceVerdict {
                            const std::optional<std::uint32_t> owner = network_.owner(at);
                            if (!owner) return {protocol::SourceUse::nothing, false};
                            const io::WayOut way = network_.way_out(to, at, engine_.fwmark());
                            return {use_of(way), *owner == at.interface_index};
                          });
}

// Under another index, or by another name, it is another interface.
engine::FoundPlace Service::find_place(const LocalPlace& place) {
  engine::FoundPlace found;
  if (!place.interface.empty()) {
    found.at.interface_index = scope_of_(place.interface.c_str());
    if (found.at.interface_index == 0) found.missing.push_back(place.interface);
  }
  found.is_there = found.missing.empty();
  const auto look = [&](const IpAddress& wanted, IpAddress& there) {
    if (wanted.family() == Family::none) return;
    if (network_.can_bind(wanted, found.at.interface_index)) {
      there = wanted;
    } else {
      found.missing.push_back(wanted.to_string());
    }
  };
  look(place.addresses.v4, found.at.only.v4);
  look(place.addresses.v6, found.at.only.v6);
  if (!place.addresses.is_empty() && found.at.only.is_empty()) found.is_there = false;
  return found;
}

void Service::end_following_network() {
  const Instant end = io::now().boot;
  network_rests_until_ = end + kNetworkRest * (end - *following_since_);
  following_since_.reset();
  if (changed_meanwhile_) follow_network_at_ = network_rests_until_;
}

// Asked within a long call: for what can't wait until it is over, and touches nothing that it is about.
bool Service::goes_on() {
  if (meanwhile_) meanwhile_();
  look_at_listener();
  if (!ended_ && !network_.link_exists()) end("the interface is gone");
  return !ended_;
}

void Service::end(std::string_view why) noexcept {
  ended_ = true;
  log_.write_parts(LogLevel::verbose, {"ending: ", why});
}

}  // namespace ferrule::service
