#include "files/peer_endpoints.h"

#include <algorithm>

#include "files/resolve.h"
#include "io/linux/kernel_query.h"

namespace ferrule::files {

std::vector<PeerEndpoint> look_up_endpoints(Listener& listener,
                                            const control::Configuration& configuration) {
  auto kernel = io::KernelQuery::open();
  std::vector<PeerEndpoint> endpoints(configuration.peers.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto& host = configuration.peers[i].endpoint;
    if (!host) continue;
    auto found = look_up_patiently(listener, *host);
    if (!found) {
      endpoints[i].why_not = found.error();
      continue;
    }
    endpoints[i].addresses = std::move(*found);
    if (!kernel || endpoints[i].addresses.size() < 2) continue;
    std::ranges::stable_partition(endpoints[i].addresses, [&](const Endpoint& endpoint) {
      return kernel->find_route(endpoint.address, 0).has_value();
    });
  }
  return endpoints;
}

}  // namespace ferrule::files
