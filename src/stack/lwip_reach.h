// The reach into a tunnel through a TCP/IP stack in this process: no namespace, no device, no rights.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/rng.h"
#include "io/linux/loop.h"
#include "io/linux/tun.h"
#include "netstack/reach.h"
#include "stack/datagrams.h"
#include "stack/listening.h"
#include "stack/stack.h"
#include "stack/stream.h"

namespace ferrule::stack {

/// Value type.
struct LwipSettings {
  std::vector<IpAddress> addresses;
  std::vector<Cidr> routes;  // what leads into the tunnel
  std::uint32_t mtu_bytes = 0;
};

/// Its sockets are ends of pairs, whose other ends the stack has, in the same loop.
class LwipReach final : public netstack::Reach {
 public:
  /// `tunnel`: a socket that carries packets with vnet headers, each a message.
  LwipReach(io::Loop& loop, io::UniqueFd tunnel, const LwipSettings& settings, Rng& rng);
  ~LwipReach() override;
  LwipReach(const LwipReach&) = delete;
  LwipReach& operator=(const LwipReach&) = delete;

  [[nodiscard]] Result<io::UniqueFd> dial(const Endpoint& to, const IpAddress& from) override;
  [[nodiscard]] io::Watch until_connected() const noexcept override { return {.reading = true}; }
  [[nodiscard]] Result<void> connected(int socket) override;
  [[nodiscard]] Result<io::UniqueFd> listen(const Endpoint& at) override;
  [[nodiscard]] Result<netstack::Caller> accept(int listener) override;
  [[nodiscard]] Result<io::UniqueFd> open_udp(const Endpoint& at) override;
  [[nodiscard]] bool set_other_end(int socket, const Endpoint& to) override;
  [[nodiscard]] Result<netstack::Datagram> receive(int socket) override;
  [[nodiscard]] bool send(int socket, const Endpoint& to, std::string_view head,
                          Bytes rest) override;
  [[nodiscard]] Endpoint local_end(int socket) override;
  [[nodiscard]] bool ended_well(int socket) override;

 private:
  // Of one that was given away. Its number may be another's by now, and then it has another identity.
  struct Given {
    std::uint64_t identity = 0;
    Endpoint local;
    Endpoint other;
    bool is_broken = false;
    std::shared_ptr<Listening> listening;
    std::shared_ptr<Datagrams> datagrams;
  };
  [[nodiscard]] Given* find(int socket);
  Given& remember(int socket);
  [[nodiscard]] bool leads_to(const IpAddress& address) const;
  [[nodiscard]] io::UniqueFd admit(tcp_pcb* caller);
  [[nodiscard]] Stream::Gone gone_of(int socket);
  void take_packets();
  void arm();

  io::Loop& loop_;
  io::LinuxTun tun_;
  std::vector<Cidr> routes_;
  Stack stack_;
  io::Watched watched_;
  io::Timer timer_;
  std::unordered_map<int, Given> given_;
};

}  // namespace ferrule::stack
