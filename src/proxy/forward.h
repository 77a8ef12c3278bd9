// Ports here that lead there: -L and -R as ssh has them, for TCP and UDP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/listener.h"
#include "proxy/services.h"
#include "proxy/target.h"

namespace ferrule::proxy {

/// Each connection to `socket`, one of `from`'s that listens, is carried on to `target` by `way`.
[[nodiscard]] Listener forward_tcp(Services& services, netstack::Reach& from, io::UniqueFd socket,
                                   std::string name, netstack::Reach& way, Target target);
/// The same, to whichever of some hosts answers.
[[nodiscard]] Listener forward_tcp_to_any(Services& services, netstack::Reach& from,
                                          io::UniqueFd socket, std::string name,
                                          netstack::Reach& way, std::vector<IpAddress> hosts,
                                          std::uint16_t port);

/// Datagrams to `socket`, one of `from`'s, are carried on to `target` by `way`; answers come back to who asked. Each who asks has
/// a port of its own there, for kMappingLife after the last datagram; of kMaxMappings the one that is
/// silent for longest gives way.
class UdpForward {
 public:
  UdpForward(Services& services, netstack::Reach& from, io::UniqueFd socket, netstack::Reach& way,
             Target target);
  ~UdpForward();
  UdpForward(UdpForward&&) noexcept = default;
  UdpForward& operator=(UdpForward&&) noexcept = default;

 private:
  class Door;
  std::shared_ptr<Door> door_;
};

}  // namespace ferrule::proxy
