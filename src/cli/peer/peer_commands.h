// What `ferrule peer` does to the peers of one file, each a command of its own.
#pragma once

#include <string>

#include "cli/peer/peer_report.h"
#include "cli/terminal/command.h"
#include "control/named_peers.h"

namespace ferrule::cli {

/// The words after `peer`.
struct PeerOptions {
  std::string interface;  // or a path
  std::string name;       // or a public key
  std::string new_name;
  std::string endpoint;     // where clients find this machine
  std::string dns;          // for the client
  std::string allowed_ips;  // what the client sends through the tunnel
  std::string expires;
  std::string out_path;
  std::string png_path;
  bool has_psk = false;
  bool shows_qr = false;
  bool is_json = false;
};

// Each returns the exit status.

/// Makes a peer, and prints what its owner needs.
int add_peer(Console& console, PeerEditor& editor, const PeerOptions& options);
int list_peers(Console& console, const PeerFile& file, const PeerOptions& options);
/// All that is known of a peer.
int show_peer(Console& console, const PeerFile& file, const PeerOptions& options);
/// Gives a peer new keys, and prints what its owner needs.
int rekey_peer(Console& console, PeerEditor& editor, const PeerOptions& options);
/// Makes names of what other tools have in comments.
int adopt_names(Console& console, PeerEditor& editor, const PeerOptions& options);
int remove_peer(Console& console, PeerEditor& editor, const PeerOptions& options);
int rename_peer(Console& console, PeerEditor& editor, const PeerOptions& options);
int disable_peer(Console& console, PeerEditor& editor, const PeerOptions& options);
int enable_peer(Console& console, PeerEditor& editor, const PeerOptions& options);
/// Disables every peer whose day has come. 1, too, where a day can't be read.
int expire_peers(Console& console, PeerEditor& editor, const PeerOptions& options);

/// What to call a peer.
[[nodiscard]] std::string name_or_key(const control::NamedPeer& peer);
}  // namespace ferrule::cli
