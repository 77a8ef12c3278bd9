#include "io/linux/port_guard.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "io/linux/socket_address.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

namespace ferrule::io {
namespace {

constexpr int kNoInterface = 0x7fffffff;  // interfaces are numbered from 1

bool set_option(int fd, int level, int option, int value) noexcept {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

int family_of(int fd) noexcept {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
  return family;
}

// A socket that binds later comes first where the kernel looks for one that objects; but not one with
// SO_REUSEPORT, over IPv6. So it gets in by SO_REUSEADDR, which all have for that moment.
Result<UniqueFd> post(int family, std::uint16_t port) {
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  const bool six = family == AF_INET6;
  const IpAddress any = six ? to_ip(in6_addr{}) : to_ip(in_addr{});
  const SocketAddress address(Endpoint{any, port, 0});
  const bool bound = fd && (!six || set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
                     set_option(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX, kNoInterface) &&
                     set_shares_address(fd.get(), true) &&
                     ::bind(fd.get(), &address.any, address.size) == 0;
  if (!bound) return std::unexpected(system_error(errno, "guard UDP port " + std::to_string(port)));
  return fd;
}

}  // namespace

bool set_shares_address(int fd, bool shares) noexcept {
  return set_option(fd, SOL_SOCKET, SO_REUSEADDR, shares ? 1 : 0);
}

Result<std::shared_ptr<PortGuard>> PortGuard::put(std::uint16_t port, std::span<const int> shared,
                                                  PortGuard* held) {
  std::shared_ptr<PortGuard> guard(new PortGuard(port));
  if (held != nullptr) held->let_in(true);
  for (const int fd : shared) (void)set_shares_address(fd, true);
  Result<void> posted;
  for (const int family : {AF_INET, AF_INET6}) {
    bool wanted = false;
    for (const int fd : shared) wanted = wanted || family_of(fd) == family;
    if (!wanted || !posted) continue;
    auto fd = post(family, port);
    if (fd) {
      guard->sockets_[family == AF_INET6] = std::move(*fd);
    } else {
      posted = std::unexpected(std::move(fd.error()));
    }
  }
  for (const int fd : shared) (void)set_shares_address(fd, false);
  if (held != nullptr) held->let_in(false);
  guard->let_in(false);
  if (!posted) return std::unexpected(std::move(posted.error()));
  return guard;
}

void PortGuard::let_in(bool let) noexcept {
  for (const UniqueFd& fd : sockets_) {
    if (fd) (void)set_shares_address(fd.get(), let);
  }
}

}  // namespace ferrule::io
