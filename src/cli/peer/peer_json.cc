#include "cli/peer/peer_json.h"

#include "base/key_text.h"
#include "cli/peer/peer_state.h"
#include "client/scopes.h"
#include "control/prefix_list.h"

namespace ferrule::cli {

StatusByKey::StatusByKey(const PeerFile& file) {
  if (!file.device) return;
  for (const protocol::PeerStatus& status : file.device->peers) {
    statuses_.emplace(status.public_key, &status);
  }
}

const protocol::PeerStatus* StatusByKey::of(const control::NamedPeer& peer) const {
  const auto found = statuses_.find(peer.conf.public_key);
  return found == statuses_.end() ? nullptr : found->second;
}

std::string prefixes_text(const control::NamedPeer& peer) {
  return control::prefix_list(peer.conf.allowed_ips);
}

Json json_of(const Console& console, const PeerFile& file, const control::NamedPeer& peer,
             const protocol::PeerStatus* status) {
  Json json = {{"version", kJsonVersion},
               {"name", peer.name},
               {"publicKey", to_base64(peer.conf.public_key)}};
  Json& ips = json["allowedIps"] = Json::array();
  for (const auto& change : peer.conf.allowed_ips) ips.push_back(change.cidr.to_string());
  json["state"] = name_of(state_of(file, peer, status, console.now_s));
  json["presharedKey"] = peer.conf.preshared_key.has_value();
  if (peer.expires) {
    json["expires"] = control::date_text(*peer.expires);
    json["expiresAt"] = peer.expires->time_since_epoch().count();
  }
  if (status == nullptr) return json;
  if (!status->endpoint.is_none()) json["endpoint"] = client::text_of(status->endpoint);
  json["latestHandshake"] = status->last_handshake.seconds;
  json["transferRx"] = status->rx_bytes;
  json["transferTx"] = status->tx_bytes;
  return json;
}

}  // namespace ferrule::cli
