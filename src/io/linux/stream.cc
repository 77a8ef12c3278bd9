#include "io/linux/stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace ferrule::io {

namespace {

Carried carried(ssize_t bytes) noexcept {
  if (bytes > 0) return {Carried::Outcome::some, static_cast<std::size_t>(bytes)};
  const bool later = bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  return {later ? Carried::Outcome::later : Carried::Outcome::never};
}

}  // namespace

Carried LinuxStream::receive(MutBytes room) noexcept {
  ssize_t got;
  do {
    got = ::recv(fd_.get(), room.data(), room.size(), 0);
  } while (got < 0 && errno == EINTR);
  return carried(got);
}

Carried LinuxStream::send(Bytes bytes) noexcept {
  ssize_t sent;
  do {
    sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return carried(sent);
}

std::unique_ptr<Stream> accept_stream(int listener_fd) {
  UniqueFd fd(::accept4(listener_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) return nullptr;
  return std::make_unique<LinuxStream>(std::move(fd));
}

}  // namespace ferrule::io
