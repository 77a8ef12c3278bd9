#include "sim/configuration_model.h"

#include "crypto/x25519.h"

namespace ferrule::sim {

void ConfigurationModel::apply(const protocol::DeviceChange& change) {
  if (change.private_key) {
    private_key_ = PrivateKey(change.private_key->clone());
    public_key_ = crypto::public_key_of(private_key_);
    remove(public_key_);
  }
  if (change.replace_peers) {
    peers_.clear();
    prefixes_.clear();
  }
  for (const protocol::PeerChange& peer : change.peers) apply(peer);
}

void ConfigurationModel::apply(const protocol::PeerChange& change) {
  const PublicKey& key = change.public_key;
  if (change.remove) return remove(key);
  if (key == public_key_ || (change.update_only && !peers_.contains(key))) return;
  Peer& peer = peers_[key];
  if (change.preshared_key) copy(change.preshared_key->bytes(), peer.psk);
  if (change.endpoint) peer.endpoint = change.endpoint;
  if (change.persistent_keepalive_s) peer.persistent_keepalive_s = *change.persistent_keepalive_s;
  if (change.replace_allowed_ips) {
    std::erase_if(prefixes_, [&](const auto& entry) { return entry.second == key; });
  }
  for (const protocol::AllowedIpChange& item : change.allowed_ips) {
    std::erase_if(prefixes_, [&](const auto& entry) {
      return entry.first == item.cidr && (!item.remove || entry.second == key);
    });
    if (!item.remove) prefixes_.emplace_back(item.cidr, key);
  }
}

void ConfigurationModel::remove(const PublicKey& key) {
  peers_.erase(key);
  std::erase_if(prefixes_, [&](const auto& entry) { return entry.second == key; });
}

protocol::DeviceChange ConfigurationModel::whole() const {
  protocol::DeviceChange change;
  change.private_key = PrivateKey(private_key_.clone());
  for (const auto& [key, peer] : peers_) {
    protocol::PeerChange& item = change.peers.emplace_back();
    item.public_key = key;
    item.preshared_key = PresharedKey(Secret<kKeySize>(peer.psk));
    item.endpoint = peer.endpoint;
    item.persistent_keepalive_s = peer.persistent_keepalive_s;
    for (const Cidr& cidr : prefixes_of(key)) item.allowed_ips.push_back({cidr, false});
  }
  return change;
}

const ConfigurationModel::Peer* ConfigurationModel::peer(const PublicKey& key) const noexcept {
  const auto found = peers_.find(key);
  return found == peers_.end() ? nullptr : &found->second;
}

std::optional<PublicKey> ConfigurationModel::owner(const IpAddress& address) const noexcept {
  const std::pair<Cidr, PublicKey>* best = nullptr;
  for (const auto& entry : prefixes_) {
    if (!entry.first.contains(address)) continue;
    if (best == nullptr || entry.first.length() > best->first.length()) best = &entry;
  }
  return best == nullptr ? std::nullopt : std::optional(best->second);
}

std::vector<Cidr> ConfigurationModel::prefixes_of(const PublicKey& key) const {
  std::vector<Cidr> cidrs;
  for (const auto& [cidr, owner] : prefixes_) {
    if (owner == key) cidrs.push_back(cidr);
  }
  return cidrs;
}

}  // namespace ferrule::sim
