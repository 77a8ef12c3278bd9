#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "base/check.h"
#include "io/linux/limits.h"
#include "io/linux/socket_address.h"
#include "io/linux/udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef IPV6_AUTOFLOWLABEL
#define IPV6_AUTOFLOWLABEL 70
#endif

namespace ferrule::io {
namespace {

bool set_option(int fd, int level, int option, int value) noexcept {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

std::string name_of(Family family) { return family == Family::v4 ? "IPv4" : "IPv6"; }

// Beyond net.core.*mem_max where we may, up to it elsewhere.
void enlarge_buffers(int fd) noexcept {
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBufferBytes)) {
    (void)set_option(fd, SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
  }
  if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBufferBytes)) {
    (void)set_option(fd, SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);
  }
}

// Without these a reply could leave from the wrong address (P75) or a fragment be lost (P76a).
bool set_v4_options(int fd) noexcept {
  return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) && set_option(fd, IPPROTO_IP, IP_RECVTOS, 1) &&
         set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
}

bool set_v6_options(int fd) noexcept {
  (void)set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 0);
  (void)set_option(fd, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0);  // Linux 3.17
  return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
}

Result<UniqueFd> make_socket(Family family, const UdpOptions& options) {
  const int domain = family == Family::v4 ? AF_INET : AF_INET6;
  UniqueFd fd(::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!fd) return std::unexpected(system_error(errno, "open " + name_of(family) + " UDP socket"));
  const bool set = family == Family::v4 ? set_v4_options(fd.get()) : set_v6_options(fd.get());
  if (!set) return std::unexpected(system_error(errno, "set " + name_of(family) + " UDP options"));
  enlarge_buffers(fd.get());
  if (options.mark != 0 &&
      !set_option(fd.get(), SOL_SOCKET, SO_MARK, static_cast<int>(options.mark))) {
    return std::unexpected(system_error(errno, "set mark of UDP socket"));
  }
  // Before Linux 5.7 that takes CAP_NET_RAW.
  if (options.at.interface_index != 0 &&
      !set_option(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX,
                  static_cast<int>(options.at.interface_index))) {
    return std::unexpected(system_error(errno, "bind UDP socket to an interface"));
  }
  return fd;
}

Endpoint local_address(Family family, std::uint16_t port, const UdpPlace& at) noexcept {
  if (!at.only.is_empty()) {
    const IpAddress& own = at.only.of(family);
    return Endpoint{own, port, own.is_link_local() ? at.interface_index : 0};
  }
  const IpAddress address = family == Family::v4 ? to_ip(in_addr{}) : to_ip(in6_addr{});
  return Endpoint{address, port, 0};
}

// Who comes first binds before allowing others: the kernel then refuses a port that is held, also
// by a group that could be joined.
Result<void> bind_socket(int fd, Family family, std::uint16_t port, const UdpOptions& options) {
  const SocketAddress address(local_address(family, port, options.at));
  const bool joins = options.joins;
  if (options.held != nullptr) (void)set_shares_address(fd, true);
  const auto attempted = [&] {
    const IpAddress& own = options.at.only.of(family);
    return "bind " + name_of(family) + " UDP port " + std::to_string(port) +
           (own.family() == Family::none ? "" : " of " + own.to_string());
  };
  if (joins && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return std::unexpected(system_error(errno, "share UDP port " + std::to_string(port)));
  }
  if (::bind(fd, &address.any, address.size) != 0) {
    return std::unexpected(system_error(errno, attempted()));
  }
  if (!joins && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return std::unexpected(system_error(errno, "share UDP port " + std::to_string(port)));
  }
  return {};
}

Result<std::uint16_t> bound_port(int fd) {
  SocketAddress address{};
  address.size = sizeof address.v6;
  if (::getsockname(fd, &address.any, &address.size) != 0) {
    return std::unexpected(system_error(errno, "read the port of UDP socket"));
  }
  return to_endpoint(address).port;
}

}  // namespace

bool can_bind_to(const IpAddress& address, std::uint32_t interface_index) noexcept {
  const int domain = address.family() == Family::v4 ? AF_INET : AF_INET6;
  const UniqueFd fd(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  const auto index = static_cast<int>(interface_index);
  if (!fd || (index != 0 && !set_option(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX, index)))
    return false;
  const SocketAddress at(Endpoint{address, 0, address.is_link_local() ? interface_index : 0});
  return ::bind(fd.get(), &at.any, at.size) == 0;
}

Result<void> LinuxUdp::bind_v4(const UdpOptions& options) {
  auto fd = make_socket(Family::v4, options);
  if (!fd) return std::unexpected(std::move(fd.error()));
  auto bound = bind_socket(fd->get(), Family::v4, options.at.port, options);
  if (!bound) return bound;
  auto port = bound_port(fd->get());
  if (!port) return std::unexpected(std::move(port.error()));
  port_ = *port;
  v4_.fd = std::move(*fd);
  return {};
}

// True when there is an IPv6 socket now, false when this machine has no IPv6.
Result<bool> LinuxUdp::bind_v6(const UdpOptions& options) {
  auto fd = make_socket(Family::v6, options);
  if (!fd) {
    if (fd.error().code == EAFNOSUPPORT) return false;
    return std::unexpected(std::move(fd.error()));
  }
  const std::uint16_t wanted = v4_.fd ? port_ : options.at.port;
  auto bound = bind_socket(fd->get(), Family::v6, wanted, options);
  if (!bound) {
    if (bound.error().code == EADDRNOTAVAIL && options.at.only.is_empty()) return false;
    return std::unexpected(std::move(bound.error()));
  }
  auto port = bound_port(fd->get());
  if (!port) return std::unexpected(std::move(port.error()));
  port_ = *port;
  v6_.fd = std::move(*fd);
  return true;
}

Result<void> LinuxUdp::bind_pair(const UdpOptions& options) {
  v4_.fd.reset();  // of a try before
  if (options.at.has(Family::v4)) {
    if (auto four = bind_v4(options); !four) return four;
  }
  if (options.at.has(Family::v6)) {
    const auto six = bind_v6(options);
    if (!six) return std::unexpected(six.error());
    if (!*six && !v4_.fd) {
      return std::unexpected(make_error(EAFNOSUPPORT, "this machine has no IPv6"));
    }
  }
  return {};
}

Result<std::unique_ptr<LinuxUdp>> LinuxUdp::open(const UdpOptions& options) {
  FERRULE_CHECK(options.at.port != 0 || !options.joins);
  std::unique_ptr<LinuxUdp> udp(new LinuxUdp);
  udp->calls_ = options.calls;
  udp->only_ = options.at.only;
  udp->interface_index_ = options.at.interface_index;
  for (unsigned attempt = 0;; ++attempt) {
    auto bound = udp->bind_pair(options);
    if (bound) break;
    const bool other_port_may_do = options.at.port == 0 && bound.error().code == EADDRINUSE;
    if (!other_port_may_do || attempt + 1 >= kMaxPortRetries) {
      return std::unexpected(std::move(bound.error()));
    }
  }
  for (Socket* socket : {&udp->v4_, &udp->v6_}) {
    if (!options.offload || !socket->fd) continue;
    // Setting 0 changes nothing: it asks whether the kernel knows the option. One that doesn't
    // would send a whole train as a single datagram.
    socket->segments = set_option(socket->fd.get(), SOL_UDP, UDP_SEGMENT, 0);
    socket->coalesces = set_option(socket->fd.get(), SOL_UDP, UDP_GRO, 1);
  }
  return udp;
}

Result<LinuxUdp::Group> LinuxUdp::open_group(const UdpOptions& options, std::size_t lanes) {
  if (options.held != nullptr) options.held->let_in(true);
  Result<Group> group = open_shared(options, lanes);
  if (options.held != nullptr) options.held->let_in(false);
  if (!group) return group;
  std::vector<int> sockets;
  const auto add = [&sockets](const LinuxUdp& udp) {
    for (const Socket* socket : {&udp.v4_, &udp.v6_}) {
      if (socket->fd) sockets.push_back(socket->fd.get());
    }
  };
  for (const auto& lane : group->lanes) add(*lane);
  if (group->handshakes) add(*group->handshakes);
  auto guard = PortGuard::put(group->lanes.front()->port(), sockets, options.held);
  if (guard) group->guard = std::move(*guard);
  return group;
}

Result<LinuxUdp::Group> LinuxUdp::open_shared(const UdpOptions& options, std::size_t lanes) {
  FERRULE_CHECK(lanes >= 1);
  UdpOptions next = options;
  next.joins = false;
  Group group;
  for (std::size_t i = 0; i < lanes; ++i) {
    auto lane = open(next);
    if (!lane) return std::unexpected(std::move(lane.error()));
    next.at.port = (*lane)->port();
    next.joins = true;
    group.lanes.push_back(std::move(*lane));
  }
  auto handshakes = open(next);
  if (handshakes && (*handshakes)->steer(lanes)) group.handshakes = std::move(*handshakes);
  return group;
}

bool LinuxUdp::steer(std::size_t lanes) noexcept {
  return (!v4_.fd || calls_.steer_handshakes(v4_.fd.get(), Family::v4, lanes)) &&
         (!v6_.fd || calls_.steer_handshakes(v6_.fd.get(), Family::v6, lanes));
}

Result<void> LinuxUdp::set_route_mark(std::uint32_t mark) {
  for (const Socket* socket : {&v4_, &v6_}) {
    if (!socket->fd) continue;
    if (!set_option(socket->fd.get(), SOL_SOCKET, SO_MARK, static_cast<int>(mark))) {
      return std::unexpected(system_error(errno, "set mark of UDP socket"));
    }
  }
  return {};
}

}  // namespace ferrule::io
