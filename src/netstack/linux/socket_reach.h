// Reaches whose sockets are the kernel's.
#pragma once

#include "netstack/reach.h"

namespace ferrule::netstack {

/// The local and the other end of a socket of the kernel's; none where it has none.
[[nodiscard]] Endpoint local_end_of(int socket);
[[nodiscard]] Endpoint other_end_of(int socket);

/// All but where sockets come from.
class SocketReach : public Reach {
 public:
  [[nodiscard]] Result<io::UniqueFd> dial(const Endpoint& to, const IpAddress& from) override;
  [[nodiscard]] io::Watch until_connected() const noexcept override {
    return {.reading = false, .writing = true};
  }
  [[nodiscard]] Result<void> connected(int socket) override;
  /// What broke says so when it is read.
  [[nodiscard]] bool ended_well(int) override { return true; }
  [[nodiscard]] Result<io::UniqueFd> listen(const Endpoint& at) override;
  [[nodiscard]] Result<Caller> accept(int listener) override;
  [[nodiscard]] Result<io::UniqueFd> open_udp(const Endpoint& at) override;
  [[nodiscard]] bool set_other_end(int socket, const Endpoint& to) override;
  [[nodiscard]] Result<Datagram> receive(int socket) override;
  bool send(int socket, const Endpoint& to, std::string_view head, Bytes rest) override;
  [[nodiscard]] Endpoint local_end(int socket) override { return local_end_of(socket); }

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
