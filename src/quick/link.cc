#include "quick/link.h"

#include <algorithm>

#include "io/linux/kernel_query.h"

namespace ferrule::quick {

namespace {

constexpr std::uint32_t kEthernetMtu = 1500;
// IPv6 and UDP headers and WireGuard's own, rounded up as wg-quick does.
constexpr std::uint32_t kTunnelOverhead = 80;

}  // namespace

Result<LinkActions> find_link(io::Network& network, const std::string& name) {
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(name) : std::unexpected(query.error());
  if (!link) return std::unexpected(link.error());
  return LinkActions(network, name, link->index);
}

std::uint32_t automatic_mtu(io::Network& network, const control::DeviceStatus& device) {
  std::uint32_t mtu = 0;
  for (const protocol::PeerStatus& peer : device.peers) {
    if (peer.endpoint.is_none()) continue;
    const auto path = network.path(peer.endpoint, device.fwmark);
    if (path) mtu = std::max(mtu, path->mtu_bytes);
  }
  if (mtu == 0) {
    const auto path = network.default_path();
    mtu = path ? path->mtu_bytes : kEthernetMtu;
  }
  return mtu > kTunnelOverhead ? mtu - kTunnelOverhead : mtu;
}

}  // namespace ferrule::quick
