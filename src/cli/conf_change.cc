#include "cli/conf_change.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "cli/resolve.h"

namespace ferrule::cli {

using protocol::DeviceChange;
using protocol::PeerChange;

std::optional<PeerChange> take_peer_change(Console& console, control::PeerConf& conf) {
  PeerChange change;
  change.public_key = conf.public_key;
  change.preshared_key = std::move(conf.preshared_key);
  change.persistent_keepalive_s = conf.persistent_keepalive_s;
  change.replace_allowed_ips = conf.replace_allowed_ips;
  change.allowed_ips = std::move(conf.allowed_ips);
  if (conf.endpoint) {
    change.endpoint = resolve(console, *conf.endpoint);
    if (!change.endpoint) return std::nullopt;
  }
  return change;
}

std::optional<DeviceChange> take_change(Console& console, control::Configuration& configuration) {
  DeviceChange change;
  change.private_key = std::move(configuration.interface.private_key);
  change.listen_port = configuration.interface.listen_port;
  change.fwmark = configuration.interface.fwmark;
  for (control::PeerConf& conf : configuration.peers) {
    auto peer = take_peer_change(console, conf);
    if (!peer) return std::nullopt;
    change.peers.push_back(std::move(*peer));
  }
  return change;
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
  std::vector<PeerChange> peers(unwanted.size());
  for (std::size_t i = 0; i < unwanted.size(); ++i) {
    peers[i].public_key = unwanted[i];
    peers[i].remove = true;
  }
  std::ranges::move(change.peers, std::back_inserter(peers));
  change.peers = std::move(peers);
}

}  // namespace ferrule::cli
