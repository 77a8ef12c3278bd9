// A way to a network: that inside a tunnel, or the machine's own.
#pragma once

#include <cstddef>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"

namespace ferrule::netstack {

/// Opens sockets there. None of them waits, and all are closed in programs that are started. Used by
/// one thread at a time.
class Reach {
 public:
  virtual ~Reach() = default;

  /// A TCP connection that is being made: writable once it is, or has failed (`connected`). `from`: the
  /// local address; none lets the system choose.
  [[nodiscard]] virtual Result<io::UniqueFd> dial(const Endpoint& to,
                                                  const IpAddress& from = {}) = 0;
  /// A TCP socket that listens. An IPv6 address of zeros takes IPv4 too.
  [[nodiscard]] virtual Result<io::UniqueFd> listen(const Endpoint& at) = 0;
  /// A UDP socket at an address, which may be all zeros, and a port, which may be 0.
  [[nodiscard]] virtual Result<io::UniqueFd> open_udp(const Endpoint& at) = 0;
};

/// How a dialled connection stands, once it is writable: made, or the reason why not.
[[nodiscard]] Result<void> connected(int socket);
/// Has a UDP socket send to, and hear of, this end alone. False: no way leads there.
[[nodiscard]] bool set_other_end(int socket, const Endpoint& to);
/// The local and the other end of a socket; none where it has none.
[[nodiscard]] Endpoint local_end(int socket);
[[nodiscard]] Endpoint other_end(int socket);

}  // namespace ferrule::netstack
