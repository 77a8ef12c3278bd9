#include "proxy/dialer.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <utility>
#include <vector>

#include "proxy/leads_back.h"
#include "proxy/resolver.h"

namespace ferrule::proxy {

namespace {

class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  /// `known`: addresses that need not be looked up.
  Attempt(Services& services, netstack::Reach& way, Target target, std::vector<IpAddress> known,
          Dialled dialled)
      : services_(services),
        way_(way),
        target_(std::move(target)),
        known_(std::move(known)),
        dialled_(std::move(dialled)) {}

  void begin();
  void give_up() noexcept {
    dialled_ = nullptr;
    stop();
  }

 private:
  struct Call {
    io::UniqueFd socket;
    Watched watched;
  };

  void found(Result<std::vector<IpAddress>> addresses);
  void call_next();
  void came_of(std::list<Call>::iterator call);
  void finish(Result<io::UniqueFd> socket);
  void stop() noexcept {
    calls_.clear();
    next_.reset();
    end_.reset();
  }

  Services& services_;
  netstack::Reach& way_;
  Target target_;
  std::vector<IpAddress> known_;
  Dialled dialled_;
  std::deque<IpAddress> left_;
  std::list<Call> calls_;
  Timer next_;
  Timer end_;
  Error last_ = make_error(EHOSTUNREACH, "no address to connect to");
};

// Families take turns, beginning with that of the first.
std::deque<IpAddress> interleaved(const std::vector<IpAddress>& addresses) {
  std::deque<IpAddress> first;
  std::deque<IpAddress> second;
  for (const IpAddress& address : addresses) {
    (address.family() == addresses.front().family() ? first : second).push_back(address);
  }
  std::deque<IpAddress> all;
  while (!first.empty() || !second.empty()) {
    for (std::deque<IpAddress>* side : {&first, &second}) {
      if (side->empty()) continue;
      all.push_back(side->front());
      side->pop_front();
    }
  }
  return all;
}

void Attempt::begin() {
  ++services_.counters.dials;
  end_ = Timer(services_.loop, services_.loop.now() + kDialPatience, [self = shared_from_this()] {
    self->finish(
        std::unexpected(system_error(ETIMEDOUT, "connect to " + self->target_.to_string())));
  });
  // Whoever dials is not called before it knows that it has.
  next_ = Timer(services_.loop, services_.loop.now(), [self = shared_from_this()] {
    if (!self->known_.empty()) return self->found(self->known_);
    self->services_.resolver->resolve(self->target_.name, [self](auto addresses) {
      if (self->dialled_) self->found(std::move(addresses));
    });
  });
}

void Attempt::found(Result<std::vector<IpAddress>> addresses) {
  if (!addresses) return finish(std::unexpected(addresses.error()));
  left_ = interleaved(*addresses);
  call_next();
}

void Attempt::call_next() {
  const auto self = shared_from_this();
  next_.reset();
  while (!left_.empty()) {
    const Endpoint to(left_.front(), target_.port);
    left_.pop_front();
    if (leads_back(services_, way_, to.address)) {
      last_ = system_error(ECONNREFUSED, "connect to " + target_.to_string());
      continue;
    }
    auto socket = way_.dial(to, {});
    if (!socket) {
      last_ = socket.error();
      continue;
    }
    const auto call = calls_.emplace(calls_.end());
    call->socket = std::move(*socket);
    call->watched = Watched(services_.loop, call->socket.get(), way_.until_connected(),
                            [self, call](const io::Ready&) { self->came_of(call); });
    if (!left_.empty()) {
      next_ = Timer(services_.loop, services_.loop.now() + kNextAddressAfter,
                    [self] { self->call_next(); });
    }
    return;
  }
  if (calls_.empty()) finish(std::unexpected(last_));
}

void Attempt::came_of(std::list<Call>::iterator call) {
  const auto self = shared_from_this();
  call->watched.reset();
  io::UniqueFd socket = std::move(call->socket);
  calls_.erase(call);
  const Result<void> made = way_.connected(socket.get());
  if (made) return finish(std::move(socket));
  last_ = system_error(made.error().code, "connect to " + target_.to_string());
  if (!left_.empty() || calls_.empty()) call_next();
}

void Attempt::finish(Result<io::UniqueFd> socket) {
  const auto self = shared_from_this();
  stop();
  if (!socket) ++services_.counters.failed_dials;
  if (const Dialled dialled = std::exchange(dialled_, nullptr)) dialled(std::move(socket));
}

// What gives it up.
std::function<void()> begin(const std::shared_ptr<Attempt>& attempt) {
  attempt->begin();
  return [weak = std::weak_ptr(attempt)] {
    if (const auto alive = weak.lock()) alive->give_up();
  };
}

}  // namespace

Dialling& Dialling::operator=(Dialling&& other) noexcept {
  if (this != &other) {
    reset();
    give_up_ = std::exchange(other.give_up_, nullptr);
  }
  return *this;
}

void Dialling::reset() noexcept {
  if (const auto give_up = std::exchange(give_up_, nullptr)) give_up();
}

Dialling dial(Services& services, netstack::Reach& way, const Target& target, Dialled dialled) {
  std::vector<IpAddress> known;
  if (target.name.empty()) known.push_back(target.address);
  const auto attempt =
      std::make_shared<Attempt>(services, way, target, std::move(known), std::move(dialled));
  Dialling dialling;
  dialling.give_up_ = begin(attempt);
  return dialling;
}

Dialling dial_any(Services& services, netstack::Reach& way, const std::vector<IpAddress>& hosts,
                  std::uint16_t port, Dialled dialled) {
  const Target first{"", hosts.front(), port};
  const auto attempt = std::make_shared<Attempt>(services, way, first, hosts, std::move(dialled));
  Dialling dialling;
  dialling.give_up_ = begin(attempt);
  return dialling;
}

}  // namespace ferrule::proxy
