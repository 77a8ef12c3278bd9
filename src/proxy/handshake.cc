#include "proxy/handshake.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace ferrule::proxy {

void Handshake::begin() {
  watched_ = Watched(services_.loop, client_.get(), {},
                     [self = shared_from_this()](const io::Ready& what) { self->ready(what); });
  patience_ = Timer(services_.loop, services_.loop.now() + kHandshakePatience,
                    [self = shared_from_this()] { self->turn_away(); });
}

void Handshake::ready(const io::Ready& ready) {
  if (!is_reading_) {
    // Nothing is waited for but its end.
    if (ready.readable || ready.broken) close();
    return;
  }
  std::array<char, 4096> room;
  const ssize_t got = ::recv(client_.get(), room.data(), room.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close();
  input_.append(room.data(), static_cast<std::size_t>(got));
  heard();
  if (!client_ || !is_reading_ || input_.size() <= most_bytes_) return;
  said_too_much();
  turn_away();
}

bool Handshake::answer(std::string_view text) {
  if (text.empty()) return true;
  const ssize_t sent = ::send(client_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent == std::ssize(text)) return true;
  close();
  return false;
}

void Handshake::wait_with_it() {
  is_reading_ = false;
  patience_.reset();
  watched_.set(false, false);
}

void Handshake::read_on() {
  is_reading_ = true;
  if (watched_) watched_.set(true, false);
}

void Handshake::close() {
  const auto self = shared_from_this();
  closing();
  watched_.reset();
  patience_.reset();
  client_.reset();
}

void Handshake::turn_away() {
  ++services_.counters.refused;
  // What it has said and nobody read would make the answer an RST.
  if (client_) {
    (void)::shutdown(client_.get(), SHUT_WR);
    std::array<char, 4096> room;
    for (int i = 0; i < 16 && ::recv(client_.get(), room.data(), room.size(), 0) > 0; ++i) {
    }
  }
  close();
}

io::UniqueFd Handshake::take_client() {
  const auto self = shared_from_this();
  watched_.reset();
  patience_.reset();
  return std::move(client_);
}

}  // namespace ferrule::proxy
