#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "cli/peer/handout.h"
#include "cli/peer/new_peer.h"
#include "cli/peer/peer_commands.h"
#include "control/peer_edits.h"
#include "crypto/x25519.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

using control::NamedPeer;

// Whole networks behind a peer are no addresses of its own.
std::vector<IpAddress> addresses_of(const NamedPeer& peer) {
  std::vector<IpAddress> addresses;
  for (const auto& change : peer.conf.allowed_ips) {
    const Cidr& prefix = change.cidr;
    if (prefix.length() == prefix.address().bits()) addresses.push_back(prefix.address());
  }
  return addresses;
}

control::WipedText new_lines(const NewPeer& keys) {
  control::WipedText text;
  files::append_line(text, "PublicKey", to_base64(crypto::public_key_of(keys.private_key)));
  if (!keys.preshared_key.is_zero()) {
    files::append_key_line(text, "PresharedKey", keys.preshared_key.bytes());
  }
  return text;
}

// Out with the old key, in with the new one, and all else as it was.
protocol::DeviceChange change_of(const NamedPeer& peer, const NewPeer& keys) {
  protocol::DeviceChange change;
  change.peers.emplace_back().public_key = peer.conf.public_key;
  change.peers.back().remove = true;
  protocol::PeerChange& added = change.peers.emplace_back();
  added.public_key = crypto::public_key_of(keys.private_key);
  added.replace_allowed_ips = true;
  added.allowed_ips = peer.conf.allowed_ips;
  added.persistent_keepalive_s = peer.conf.persistent_keepalive_s;
  if (!keys.preshared_key.is_zero()) {
    added.preshared_key = PresharedKey(keys.preshared_key.clone());
  }
  return change;
}

bool can_rekey(Console& console, const PeerFile& file, const NamedPeer& peer) {
  const std::string name = name_or_key(peer);
  if (!peer.is_enabled) {
    return refuse(console, fmt::format("{} is disabled: `ferrule peer enable {} {}' first", name,
                                       file.interface, name));
  }
  const auto sections =
      std::ranges::count(file.list.peers, peer.conf.public_key,
                         [](const NamedPeer& other) { return other.conf.public_key; });
  if (sections > 1) {
    return refuse(console, fmt::format("{}: {} stands in {} sections: make them one first",
                                       file.path, name, sections));
  }
  if (!addresses_of(peer).empty()) return true;
  return refuse(console, fmt::format("{} has no address of its own among its allowed IPs: its file "
                                     "can't be written",
                                     name));
}

}  // namespace

int rekey_peer(Console& console, PeerEditor& editor, const PeerOptions& options) {
  const PeerFile& file = editor.file();
  const NamedPeer* peer = find_or_say(console, file, options.name);
  if (peer == nullptr || !can_rekey(console, file, *peer)) return 1;
  NewPeer keys;
  keys.addresses = addresses_of(*peer);
  const bool has_psk = options.has_psk || peer->conf.preshared_key.has_value();
  if (!choose_client_part(console, file, options, keys) ||
      !choose_keys(console, file, has_psk, keys)) {
    return status_without(console, keys);
  }
  const auto conf = client_conf_of(console, options, keys, peer->name);
  if (!conf) return status_without(console, keys);
  const auto change = change_of(*peer, keys);
  control::replace_keys(editor.document(), *peer, new_lines(keys).view());
  Handout handout(console, options);
  if (!handout.prepare(*conf) || !apply_or_say(console, editor, change)) return 1;
  const std::string name = name_or_key(*peer);
  if (!handout.give(*conf)) {
    console.err.print(
        "{0} has new keys, but its configuration, with the only copy of them, went nowhere: "
        "`ferrule peer rekey {1} {0}' makes others.\n",
        name, options.interface);
    return 1;
  }
  console.err.print("{} has new keys in {}{}: its old file is of no more use\n", name,
                    file.interface, if_not_up(file));
  return 0;
}

}  // namespace ferrule::cli
