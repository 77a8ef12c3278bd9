// The tunnel's name servers, at an address of here.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/net.h"
#include "io/linux/fd.h"
#include "proxy/listener.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Carries questions on as clients ask them, whatever they ask, to name servers inside, one after the other
/// until one answers. Each has a port and an id of its own there. No more than kMaxLookups wait at once;
/// who is asked in vain kQueryTries times is told so (SERVFAIL).
class DnsForward {
 public:
  /// `socket`: of UDP, where clients ask.
  DnsForward(Services& services, io::UniqueFd socket, std::vector<IpAddress> servers,
             std::uint16_t port = 53);
  ~DnsForward();
  DnsForward(DnsForward&&) noexcept = default;
  DnsForward& operator=(DnsForward&&) noexcept = default;

 private:
  class Door;
  std::shared_ptr<Door> door_;
};

/// The same for clients that ask by TCP: each connection to `socket`, which listens, leads to the server that
/// answers first.
[[nodiscard]] Listener forward_dns_by_tcp(Services& services, io::UniqueFd socket,
                                          std::vector<IpAddress> servers);

}  // namespace ferrule::proxy
