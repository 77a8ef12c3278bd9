#include "io/linux/port_guard.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "io/linux/socket_address.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

namespace ferrule::io {
namespace {

// Interfaces are numbered from 1, one by one. Groups at one port that are bound to an interface each do not
// meet: nor must their guards.
constexpr int kNoInterface = 0x7fffffff;

bool set_option(int fd, int level, int option, int value) noexcept {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

int number_option(int fd, int option, int otherwise) noexcept {
  int value = otherwise;
  socklen_t size = sizeof value;
  (void)getsockopt(fd, SOL_SOCKET, option, &value, &size);
  return value;
}

int family_of(int fd) noexcept { return number_option(fd, SO_DOMAIN, AF_UNSPEC); }

// A socket that binds later comes first where the kernel looks for one that objects; but not one with
// SO_REUSEPORT, over IPv6. So it gets in by SO_REUSEADDR, which all have for that moment.
Result<UniqueFd> post(int guarded, std::uint16_t port) {
  const int family = family_of(guarded);
  const int no_interface = kNoInterface - number_option(guarded, SO_BINDTOIFINDEX, 0);
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  const bool six = family == AF_INET6;
  SocketAddress address{};
  address.size = sizeof address.v6;
  const bool known = ::getsockname(guarded, &address.any, &address.size) == 0;
  // IPv6 gives an address to no socket of an interface that is not there: then that comes right after.
  const IpAddress own = to_endpoint(address).address;
  const bool is_late = six && own != to_ip(in6_addr{});
  const auto leave_the_network = [&] {
    return set_option(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX, no_interface);
  };
  const bool bound = fd && known && (!six || set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
                     (is_late || leave_the_network()) && set_shares_address(fd.get(), true) &&
                     ::bind(fd.get(), &address.any, address.size) == 0 &&
                     (!is_late || leave_the_network());
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
    const auto guarded = std::ranges::find(shared, family, family_of);
    if (guarded == shared.end() || !posted) continue;
    auto fd = post(*guarded, port);
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
