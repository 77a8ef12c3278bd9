// A peer of a file with what its device says of it, as text and for programs.
#pragma once

#include <map>
#include <string>

#include "base/keys.h"
#include "cli/peer/peer_report.h"
#include "cli/terminal/json.h"
#include "control/named_peers.h"

namespace ferrule::cli {

/// What the device says of its peers, by their keys. The file outlives it.
class StatusByKey {
 public:
  explicit StatusByKey(const PeerFile& file);
  /// Null where the device does not have it.
  [[nodiscard]] const protocol::PeerStatus* of(const control::NamedPeer& peer) const;

 private:
  std::map<PublicKey, const protocol::PeerStatus*> statuses_;
};

/// "10.0.0.2/32, fd00::2/128".
[[nodiscard]] std::string prefixes_text(const control::NamedPeer& peer);

/// As docs/schemas/peer.json says.
[[nodiscard]] Json json_of(const Console& console, const PeerFile& file,
                           const control::NamedPeer& peer, const protocol::PeerStatus* status);

}  // namespace ferrule::cli
