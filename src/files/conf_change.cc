#include "files/conf_change.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "files/resolve.h"

namespace ferrule::files {

using protocol::DeviceChange;
using protocol::PeerChange;

DeviceChange take_change(control::Configuration& configuration,
                         const std::vector<PeerEndpoint>& endpoints) {
  DeviceChange change;
  change.private_key = std::move(configuration.interface.private_key);
  change.listen_port = configuration.interface.listen_port;
  change.fwmark = configuration.interface.fwmark;
  for (std::size_t i = 0; i < configuration.peers.size(); ++i) {
    control::PeerConf& conf = configuration.peers[i];
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = conf.public_key;
    peer.preshared_key = std::move(conf.preshared_key);
    peer.persistent_keepalive_s = conf.persistent_keepalive_s;
    peer.replace_allowed_ips = conf.replace_allowed_ips;
    peer.allowed_ips = std::move(conf.allowed_ips);
    peer.endpoint = endpoints[i].best();
  }
  return change;
}

std::expected<DeviceChange, std::string> take_change(Listener& listener,
                                                     control::Configuration& configuration) {
  std::vector<PeerEndpoint> endpoints(configuration.peers.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (!configuration.peers[i].endpoint) continue;
    const auto endpoint = resolve(listener, *configuration.peers[i].endpoint);
    if (!endpoint) return std::unexpected(endpoint.error());
    endpoints[i].addresses.push_back(*endpoint);
  }
  return take_change(configuration, endpoints);
}

void replace_all(DeviceChange& change) {
  if (!change.private_key) change.private_key.emplace();
  if (!change.listen_port) change.listen_port = 0;
  if (!change.fwmark) change.fwmark = 0;
  change.replace_peers = true;
}

void keep_peers(DeviceChange& change, const control::DeviceStatus& device) {
  if (change.peers.empty() || device.peers.empty()) return;
  change.replace_peers = false;
  std::map<PublicKey, PeerChange*> wanted;
  for (PeerChange& peer : change.peers) wanted.emplace(peer.public_key, &peer);
  std::vector<PublicKey> unwanted;
  for (const protocol::PeerStatus& has : device.peers) {
    const auto peer = wanted.find(has.public_key);
    if (peer == wanted.end()) {
      unwanted.push_back(has.public_key);
      continue;
    }
    PeerChange& to = *peer->second;
    if (!to.preshared_key && !has.preshared_key.is_zero()) to.preshared_key.emplace();
    if (!to.persistent_keepalive_s && has.persistent_keepalive_s != 0)
      to.persistent_keepalive_s = 0;
  }
  Segments<PeerChange> peers;
  for (const PublicKey& key : unwanted) {
    PeerChange& peer = peers.emplace_back();
    peer.public_key = key;
    peer.remove = true;
  }
  std::ranges::move(change.peers, std::back_inserter(peers));
  change.peers = std::move(peers);
}

}  // namespace ferrule::files
