// Reaches whose sockets are the kernel's.
#pragma once

#include "netstack/reach.h"

namespace ferrule::netstack {

/// All but where sockets come from.
class SocketReach : public Reach {
 public:
  [[nodiscard]] Result<io::UniqueFd> dial(const Endpoint& to, const IpAddress& from) override;
  [[nodiscard]] Result<io::UniqueFd> listen(const Endpoint& at) override;
  [[nodiscard]] Result<io::UniqueFd> open_udp(const Endpoint& at) override;

 protected:
  /// A fresh socket: AF_INET or AF_INET6, SOCK_STREAM or SOCK_DGRAM; non-blocking, close-on-exec.
  [[nodiscard]] virtual Result<io::UniqueFd> make(int family, int type) = 0;
};

/// The network of this process.
class OwnReach final : public SocketReach {
 protected:
  [[nodiscard]] Result<io::UniqueFd> make(int family, int type) override;
};

}  // namespace ferrule::netstack
