#include "quick/dry_run.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace ferrule::quick {

namespace {

bool holds(const auto& list, const auto& item) {
  return std::ranges::find(list, item) != list.end();
}

bool is_v4(const io::LinkAddress& address) { return address.address.family() == Family::v4; }

Cidr network_of(const io::LinkAddress& address) {
  return Cidr(address.address, address.prefix_length);
}

}  // namespace

control::DeviceStatus status_after(const protocol::DeviceChange& change) {
  control::DeviceStatus status;
  status.listen_port = change.listen_port.value_or(0);
  status.fwmark = change.fwmark.value_or(0);
  std::set<Cidr> taken;
  for (const protocol::PeerChange& peer : change.peers) {
    protocol::PeerStatus& to = status.peers.emplace_back();
    to.public_key = peer.public_key;
    if (peer.endpoint) to.endpoint = *peer.endpoint;
    for (const protocol::AllowedIpChange& ip : peer.allowed_ips) {
      if (!ip.remove && taken.insert(ip.cidr).second) to.allowed_ips.push_back(ip.cidr);
    }
  }
  return status;
}

std::vector<io::LinkRoute> routes_of_kernel(const std::vector<io::LinkAddress>& addresses,
                                            std::uint32_t link_index) {
  std::vector<io::LinkRoute> routes;
  for (const io::LinkAddress& address : addresses) {
    // An IPv4 address alone is in the local table only.
    if (is_v4(address) && address.prefix_length == address.address.bits()) continue;
    routes.push_back({network_of(address), RT_TABLE_MAIN, link_index, true});
  }
  return routes;
}

std::vector<io::LinkAddress> addresses_after(std::vector<io::LinkAddress> addresses,
                                             const std::vector<io::LinkAddress>& deleted,
                                             bool promotes) {
  for (const io::LinkAddress& gone : deleted) {
    const auto is_of_network = [&](const io::LinkAddress& other) {
      return is_v4(other) && other.prefix_length == gone.prefix_length &&
             network_of(other) == network_of(gone);
    };
    const auto first = std::ranges::find_if(addresses, is_of_network);
    const bool is_first = is_v4(gone) && first != addresses.end() && *first == gone;
    std::erase(addresses, gone);
    if (is_first && !promotes) std::erase_if(addresses, is_of_network);
  }
  return addresses;
}

std::vector<io::LinkRoute> routes_after(const std::vector<io::LinkRoute>& routes,
                                        const std::vector<io::LinkAddress>& before,
                                        const std::vector<io::LinkAddress>& after,
                                        std::uint32_t link_index) {
  const auto made_before = routes_of_kernel(before, link_index);
  std::vector<io::LinkRoute> left = routes_of_kernel(after, link_index);
  // With its last IPv4 address a link loses the routes of that family.
  const bool loses_v4 = std::ranges::any_of(before, is_v4) && !std::ranges::any_of(after, is_v4);
  for (const io::LinkRoute& route : routes) {
    const bool is_lost = loses_v4 && route.destination.address().family() == Family::v4;
    if (!is_lost && !holds(made_before, route) && !holds(left, route)) left.push_back(route);
  }
  return left;
}

}  // namespace ferrule::quick
