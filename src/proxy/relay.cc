#include "proxy/relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace ferrule::proxy {

namespace {

// Where bytes are read to that may find their way at once: one for all, since there is one thread.
std::span<char> scratch() {
  static thread_local const std::unique_ptr<char[]> room(new char[kBufferBytes]);
  return {room.get(), kBufferBytes};
}

void set(int socket, int level, int option, int value) noexcept {
  (void)::setsockopt(socket, level, option, &value, sizeof value);
}

void find_out_who_vanishes(int socket) noexcept {
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE,
      static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(kKeepaliveAfter).count()));
}

// What waits in the system is out of our hands: whoever says it is to wait instead. Much of it at once, and read at
// once, would come and go in bursts of many connections, which queues on the way have no room for.
void send_as_it_goes(int socket) noexcept {
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytes);
}

class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(Services& services, io::UniqueFd client, io::UniqueFd inside, std::string first,
        std::function<void()> ended)
      : services_(services), ended_(std::move(ended)) {
    sides_[0].socket = std::move(client);
    sides_[1].socket = std::move(inside);
    hold(sides_[1], first);
    ++services_.counters.open_streams;
  }
  ~Relay() {
    for (const Side& side : sides_) services_.buffered_bytes -= side.held.size();
    --services_.counters.open_streams;
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void begin();

 private:
  struct Side {
    io::UniqueFd socket;
    Watched watched;
    std::vector<char> held;  // on its way to this side
    std::size_t sent = 0;    // of it
    bool has_ended = false;  // nothing more comes from this side
    bool is_told = false;    // that nothing more comes to it

    [[nodiscard]] bool holds() const noexcept { return sent < held.size(); }
  };
  enum class Carry { goes_on, breaks };

  Side& other(const Side& side) noexcept { return sides_[&side == &sides_[0] ? 1 : 0]; }
  void ready(Side& side, const io::Ready& ready);
  [[nodiscard]] Carry read_from(Side& side);
  [[nodiscard]] Carry write_held(Side& side);
  void hold(Side& side, std::string_view bytes);
  void let_go(Side& side);
  void tell_end(Side& side);
  void watch();
  void lose(Side& side);
  void break_off();
  void finish();

  Services& services_;
  std::function<void()> ended_;
  Side sides_[2];
  Timer starved_;
  bool is_starving_ = false;
  Side* reset_ = nullptr;   // who refused what the other has said
  bool is_broken_ = false;  // and ends when what is held for the side that is left is gone
};

void Relay::begin() {
  for (Side& side : sides_) {
    find_out_who_vanishes(side.socket.get());
    send_as_it_goes(side.socket.get());
    side.watched = Watched(
        services_.loop, side.socket.get(), {},
        [self = shared_from_this(), &side](const io::Ready& what) { self->ready(side, what); });
  }
  if (write_held(sides_[1]) == Carry::breaks) return lose(sides_[1]);
  watch();
}

void Relay::ready(Side& side, const io::Ready& ready) {
  if (!side.socket) return;
  if (side.holds() && write_held(side) == Carry::breaks) return lose(side);
  if (is_broken_ && !side.holds()) return break_off();
  if (ready.readable && !side.has_ended) {
    if (read_from(side) == Carry::breaks) return lose(reset_ == nullptr ? side : *reset_);
  } else if (ready.broken) {
    return lose(side);
  }
  for (Side& each : sides_) tell_end(each);
  if (sides_[0].is_told && sides_[1].is_told) return finish();
  watch();
}

// What the other side does not take at once is held for it; until that is gone, nothing more is read.
Relay::Carry Relay::read_from(Side& side) {
  Side& to = other(side);
  if (to.holds()) return Carry::goes_on;
  const std::size_t room = kAllBuffersBytes - std::min(kAllBuffersBytes, services_.buffered_bytes);
  if (room == 0) {
    is_starving_ = true;
    starved_ =
        Timer(services_.loop, services_.loop.now() + kStarvedRest, [self = shared_from_this()] {
          self->is_starving_ = false;
          self->watch();
        });
    return Carry::goes_on;
  }
  const std::span<char> space = scratch().first(std::min(kBufferBytes, room));
  const ssize_t got = ::recv(side.socket.get(), space.data(), space.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Carry::goes_on : Carry::breaks;
  if (got == 0) {
    if (!services_.inside.ended_well(side.socket.get())) return Carry::breaks;
    side.has_ended = true;
    return Carry::goes_on;
  }
  const auto size = static_cast<std::size_t>(got);
  (&side == &sides_[0] ? services_.counters.to_inside_bytes
                       : services_.counters.from_inside_bytes) += size;
  std::string_view bytes(space.data(), size);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      reset_ = &to;
      return Carry::breaks;
    }
    if (sent < 0) break;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  hold(to, bytes);
  return Carry::goes_on;
}

Relay::Carry Relay::write_held(Side& side) {
  while (side.holds()) {
    const ssize_t sent = ::send(side.socket.get(), side.held.data() + side.sent,
                                side.held.size() - side.sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Carry::goes_on : Carry::breaks;
    side.sent += static_cast<std::size_t>(sent);
  }
  let_go(side);
  return Carry::goes_on;
}

void Relay::hold(Side& side, std::string_view bytes) {
  if (bytes.empty()) return;
  side.held.assign(bytes.begin(), bytes.end());
  side.sent = 0;
  services_.buffered_bytes += side.held.size();
}

void Relay::let_go(Side& side) {
  services_.buffered_bytes -= side.held.size();
  std::vector<char>().swap(side.held);
  side.sent = 0;
}

void Relay::tell_end(Side& side) {
  if (side.is_told || is_broken_ || !other(side).has_ended || side.holds()) return;
  side.is_told = true;
  (void)::shutdown(side.socket.get(), SHUT_WR);
}

void Relay::watch() {
  for (Side& side : sides_) {
    if (!side.watched) continue;
    // Of a connection that is closed both ways the system would tell for ever.
    if (side.has_ended && side.is_told) {
      side.watched.reset();
    } else {
      side.watched.set(!side.has_ended && !other(side).holds() && !is_starving_, side.holds());
    }
  }
}

// A side takes and says nothing more. What it has said still goes to the other.
void Relay::lose(Side& side) {
  const auto self = shared_from_this();
  Side& left = other(side);
  side.watched.reset();
  let_go(side);
  if (!left.holds() || !left.watched || is_broken_) return break_off();
  is_broken_ = true;
  side.has_ended = side.is_told = left.has_ended = true;
  left.watched.set(false, true);
}

// A connection that is closed with bytes unread, or so, says RST: what broke here must not look whole there.
void Relay::break_off() {
  for (Side& side : sides_) {
    const linger at_once{1, 0};
    (void)::setsockopt(side.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  finish();
}

void Relay::finish() {
  const auto self = shared_from_this();
  starved_.reset();
  for (Side& side : sides_) side.watched.reset();
  for (Side& side : sides_) side.socket.reset();
  if (const auto ended = std::exchange(ended_, nullptr)) ended();
}

}  // namespace

void start_relay(Services& services, io::UniqueFd client, io::UniqueFd inside, std::string first,
                 std::function<void()> ended) {
  std::make_shared<Relay>(services, std::move(client), std::move(inside), std::move(first),
                          std::move(ended))
      ->begin();
}

}  // namespace ferrule::proxy
