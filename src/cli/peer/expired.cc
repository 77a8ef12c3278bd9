#include "cli/peer/expired.h"

#include "cli/peer/peer_commands.h"
#include "control/named_peers.h"

namespace ferrule::cli {

bool leave_out_expired(Console& console, const control::ConfDocument& document,
                       control::Configuration& configuration) {
  const control::PeerList list = control::list_peers(document);
  for (const control::ConfError& error : list.errors) console.err.write(error.to_string());
  if (!list.errors.empty()) return false;
  for (const control::ConfError& date : list.dates_of_nobody) console.err.write(date.to_string());
  for (const control::NamedPeer& peer : list.peers) {
    if (!peer.is_enabled || !peer.expires || *peer.expires > today(console)) continue;
    const auto is_this = [&](const control::PeerConf& conf) {
      return conf.public_key == peer.conf.public_key;
    };
    if (std::erase_if(configuration.peers, is_this) == 0) continue;
    console.err.print("{} expired on {}: left out\n", peer.name.empty() ? "A peer" : peer.name,
                      control::date_text(*peer.expires));
  }
  return true;
}

}  // namespace ferrule::cli
