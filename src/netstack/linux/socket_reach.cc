#include "netstack/linux/socket_reach.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "io/linux/socket_address.h"

namespace ferrule::netstack {

namespace {

constexpr int kBacklog = 1024;
constexpr std::size_t kMaxDatagramBytes = 65535;

int family_of(const IpAddress& address) noexcept {
  return address.family() == Family::v4 ? AF_INET : AF_INET6;
}

void set(const io::UniqueFd& socket, int level, int option, int value) noexcept {
  (void)::setsockopt(socket.get(), level, option, &value, sizeof value);
}

Result<void> bind_to(const io::UniqueFd& socket, const Endpoint& at, const char* what) {
  const io::SocketAddress address(at);
  if (::bind(socket.get(), &address.any, address.size) == 0) return {};
  return std::unexpected(system_error(errno, what + at.to_string()));
}

bool is_all_of_v6(const Endpoint& at) noexcept { return at.address == *IpAddress::parse("::"); }

using NameOf = int (*)(int, sockaddr*, socklen_t*);

Endpoint end_of(int socket, NameOf name_of) {
  io::SocketAddress address{};
  address.size = sizeof address.v6;
  if (name_of(socket, &address.any, &address.size) != 0) return {};
  return io::to_endpoint(address);
}

}  // namespace

Result<io::UniqueFd> SocketReach::dial(const Endpoint& to, const IpAddress& from) {
  Result<io::UniqueFd> socket = make(family_of(to.address), SOCK_STREAM);
  if (!socket) return socket;
  set(*socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set(*socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (from.family() != Family::none) {
    set(*socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (auto bound = bind_to(*socket, Endpoint(from, 0), "connect from "); !bound) {
      return std::unexpected(bound.error());
    }
  }
  const io::SocketAddress address(to);
  if (::connect(socket->get(), &address.any, address.size) == 0 || errno == EINPROGRESS) {
    return socket;
  }
  return std::unexpected(system_error(errno, "connect to " + to.to_string()));
}

Result<io::UniqueFd> SocketReach::listen(const Endpoint& at) {
  Result<io::UniqueFd> socket = make(family_of(at.address), SOCK_STREAM);
  // Where there is no IPv6, all addresses are all those of IPv4.
  if (!socket && is_all_of_v6(at)) return listen(Endpoint(*IpAddress::parse("0.0.0.0"), at.port));
  if (!socket) return socket;
  set(*socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (at.address.family() == Family::v6) set(*socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (auto bound = bind_to(*socket, at, "listen on "); !bound) {
    return std::unexpected(bound.error());
  }
  if (::listen(socket->get(), kBacklog) == 0) return socket;
  return std::unexpected(system_error(errno, "listen on " + at.to_string()));
}

Result<io::UniqueFd> SocketReach::open_udp(const Endpoint& at) {
  Result<io::UniqueFd> socket = make(family_of(at.address), SOCK_DGRAM);
  if (!socket) return socket;
  if (at.address.family() == Family::v6) set(*socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (auto bound = bind_to(*socket, at, "open UDP "); !bound) {
    return std::unexpected(bound.error());
  }
  return socket;
}

Result<io::UniqueFd> OwnReach::make(int family, int type) {
  io::UniqueFd socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return std::unexpected(system_error(errno, "open a socket"));
  return socket;
}

Result<void> SocketReach::connected(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error == 0) return {};
  return std::unexpected(system_error(error, "connect"));
}

Result<Caller> SocketReach::accept(int listener) {
  io::SocketAddress from{};
  from.size = sizeof from.v6;
  io::UniqueFd socket(::accept4(listener, &from.any, &from.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return std::unexpected(system_error(errno, "accept"));
  return Caller{std::move(socket), io::to_endpoint(from)};
}

bool SocketReach::set_other_end(int socket, const Endpoint& to) {
  const io::SocketAddress address(to);
  return ::connect(socket, &address.any, address.size) == 0;
}

Result<Datagram> SocketReach::receive(int socket) {
  static thread_local const std::unique_ptr<std::uint8_t[]> room(
      new std::uint8_t[kMaxDatagramBytes]);
  io::SocketAddress from{};
  from.size = sizeof from.v6;
  ssize_t got;
  do {
    got = ::recvfrom(socket, room.get(), kMaxDatagramBytes, 0, &from.any, &from.size);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return std::unexpected(system_error(errno, "receive"));
  return Datagram{io::to_endpoint(from), {room.get(), static_cast<std::size_t>(got)}};
}

bool SocketReach::send(int socket, const Endpoint& to, std::string_view head, Bytes rest) {
  io::SocketAddress address{};
  iovec parts[] = {{const_cast<char*>(head.data()), head.size()},
                   {const_cast<std::uint8_t*>(rest.data()), rest.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  if (!to.is_none()) {
    address = io::SocketAddress(to);
    header.msg_name = &address.any;
    header.msg_namelen = address.size;
  }
  for (int tries = 0; tries < 2; ++tries) {
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) >= 0) return true;
    // The error may be what an earlier one met.
    if (errno != ECONNREFUSED && errno != EHOSTUNREACH) return false;
  }
  return false;
}

Endpoint local_end_of(int socket) { return end_of(socket, ::getsockname); }
Endpoint other_end_of(int socket) { return end_of(socket, ::getpeername); }

}  // namespace ferrule::netstack
