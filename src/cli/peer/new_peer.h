// A peer with keys that nobody has had before, and the file for its own machine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keys.h"
#include "base/net.h"
#include "cli/peer/peer_commands.h"
#include "control/named_peers.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

/// Everything that makes up a new peer. Move-only.
struct NewPeer {
  PrivateKey private_key;
  PresharedKey preshared_key;  // zero: none
  std::vector<IpAddress> addresses;
  std::optional<control::Date> expires;
  // what its owner must know of this machine
  PublicKey server_key;
  std::string server_name;
  std::string endpoint;
  std::string allowed_ips;
  std::string dns;
  bool is_misworded = false;  // it can't be made, for an option's value
};

// Each fills in a part, or says why it can't and returns false.

/// What the client sends here, where it finds this machine, and its name servers.
[[nodiscard]] bool choose_client_part(Console& console, const PeerFile& file,
                                      const PeerOptions& options, NewPeer& peer);
[[nodiscard]] bool choose_keys(Console& console, const PeerFile& file, bool has_psk, NewPeer& peer);

/// The whole file for the peer's own machine; none, which is said, if that could not be read again.
[[nodiscard]] std::optional<control::WipedText> client_conf_of(Console& console,
                                                               const PeerOptions& options,
                                                               NewPeer& peer,
                                                               std::string_view name);

/// "10.0.0.3/32, fd00::3/128".
[[nodiscard]] std::string list_of(const std::vector<IpAddress>& addresses);

/// False, with `why` said.
bool refuse(Console& console, std::string_view why);
/// The same, and the mistake is in the words of the command line.
bool refuse_words(Console& console, NewPeer& peer, std::string_view why);
/// The exit status where a peer can't be made.
[[nodiscard]] int status_without(const Console& console, const NewPeer& peer);

}  // namespace ferrule::cli
