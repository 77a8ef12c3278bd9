#include "proxy/datagrams.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "io/linux/socket_address.h"
#include "proxy/limits.h"

namespace ferrule::proxy {

std::optional<Datagram> receive_datagram(int socket) {
  static thread_local const std::unique_ptr<std::uint8_t[]> room(
      new std::uint8_t[kMaxDatagramBytes]);
  io::SocketAddress from{};
  from.size = sizeof from.v6;
  ssize_t got;
  do {
    // An error that an earlier datagram has met is not about the next.
    got = ::recvfrom(socket, room.get(), kMaxDatagramBytes, 0, &from.any, &from.size);
  } while (got < 0 && (errno == EINTR || errno == ECONNREFUSED || errno == EHOSTUNREACH ||
                       errno == ENETUNREACH || errno == EMSGSIZE));
  if (got < 0) return std::nullopt;
  return Datagram{io::to_endpoint(from), {room.get(), static_cast<std::size_t>(got)}};
}

bool send_datagram(int socket, const Endpoint& to, std::string_view head, Bytes rest) {
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

}  // namespace ferrule::proxy
