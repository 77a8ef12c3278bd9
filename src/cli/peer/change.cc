#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "cli/peer/peer_commands.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/now.h"
#include "cli/terminal/options.h"
#include "files/resolve.h"

namespace ferrule::cli {

namespace {

using control::NamedPeer;

protocol::DeviceChange removal_of(const PublicKey& key) {
  protocol::DeviceChange change;
  change.peers.emplace_back().public_key = key;
  change.peers.back().remove = true;
  return change;
}

// What makes a peer of the device that is in the file.
std::optional<protocol::DeviceChange> addition_of(Console& console, const NamedPeer& peer,
                                                  bool is_live) {
  protocol::DeviceChange change;
  protocol::PeerChange& to = change.peers.emplace_back();
  to.public_key = peer.conf.public_key;
  to.replace_allowed_ips = true;
  to.allowed_ips = peer.conf.allowed_ips;
  to.persistent_keepalive_s = peer.conf.persistent_keepalive_s;
  if (peer.conf.preshared_key) to.preshared_key = PresharedKey(peer.conf.preshared_key->clone());
  if (!is_live || !peer.conf.endpoint) return change;
  ConsoleListener listener(console);
  const auto endpoint = files::resolve(listener, *peer.conf.endpoint);
  if (!endpoint) {
    console.err.print("{}\n", endpoint.error());
    return std::nullopt;
  }
  to.endpoint = *endpoint;
  return change;
}

// wg takes two sections with one key for one peer: what is done to it is done to both. From the last to
// the first, so that the lines of those still to come stay where they are.
void change_sections(PeerEditor& editor, const std::set<PublicKey>& keys,
                     void (*change)(control::ConfDocument&, const NamedPeer&)) {
  const std::vector<NamedPeer>& peers = editor.file().list.peers;
  for (auto peer = peers.rbegin(); peer != peers.rend(); ++peer) {
    if (keys.contains(peer->conf.public_key)) change(editor.document(), *peer);
  }
}

void disable_section(control::ConfDocument& document, const NamedPeer& peer) {
  if (peer.is_enabled) control::disable_peer(document, peer);
}

int status_of(bool is_done) { return is_done ? 0 : 1; }

// Applies a change and says what became of a peer.
int apply(Console& console, PeerEditor& editor, const protocol::DeviceChange& change,
          const NamedPeer& peer, std::string_view what) {
  const std::string name = name_or_key(peer);
  if (!apply_or_say(console, editor, change)) return 1;
  console.out.print("{} is {} {}{}\n", name, what, editor.file().interface,
                    if_not_up(editor.file()));
  return 0;
}

}  // namespace

std::string name_or_key(const NamedPeer& peer) {
  return peer.name.empty() ? to_base64(peer.conf.public_key) : peer.name;
}

int remove_peer(Console& console, PeerEditor& editor, const PeerOptions& options) {
  const PeerFile& file = editor.file();
  const NamedPeer* peer = find_or_say(console, file, options.name);
  if (peer == nullptr) return 1;
  change_sections(editor, {peer->conf.public_key}, control::remove_peer);
  return apply(console, editor, removal_of(peer->conf.public_key), *peer, "removed from");
}

int rename_peer(Console& console, PeerEditor& editor, const PeerOptions& options) {
  const PeerFile& file = editor.file();
  const NamedPeer* peer = find_or_say(console, file, options.name);
  if (peer == nullptr) return 1;
  if (!control::is_peer_name(options.new_name)) {
    console.err.write("A name has 1 to 64 characters, and no '#' and no quotes.\n");
    return usage_status(console);
  }
  const NamedPeer* other = control::find_peer(file.list.peers, options.new_name);
  if (other != nullptr && other != peer) {
    console.err.print("{}: there is a peer `{}' already\n", file.path, options.new_name);
    return 1;
  }
  control::rename_peer(editor.document(), *peer, options.new_name);
  return apply(console, editor, {}, *peer, fmt::format("{} now, in", options.new_name));
}

int disable_peer(Console& console, PeerEditor& editor, const PeerOptions& options) {
  const PeerFile& file = editor.file();
  const NamedPeer* peer = find_or_say(console, file, options.name);
  if (peer == nullptr) return 1;
  if (!peer->is_enabled && !file.is_running(*peer)) {
    console.out.print("{} is disabled already\n", name_or_key(*peer));
    return 0;
  }
  change_sections(editor, {peer->conf.public_key}, disable_section);
  return apply(console, editor, removal_of(peer->conf.public_key), *peer, "disabled in");
}

int enable_peer(Console& console, PeerEditor& editor, const PeerOptions& options) {
  const PeerFile& file = editor.file();
  const NamedPeer* peer = find_or_say(console, file, options.name);
  if (peer == nullptr) return 1;
  if (peer->is_enabled && (!file.device || file.is_running(*peer))) {
    console.out.print("{} is enabled already\n", name_or_key(*peer));
    return 0;
  }
  if (peer->expires && *peer->expires <= now_of(console)) {
    console.err.print("{} expired on {}: change its line `# Expires' in {} first\n", options.name,
                      control::date_text(*peer->expires), file.path);
    return 1;
  }
  const auto change = addition_of(console, *peer, file.device.has_value());
  if (!change) return 1;
  if (!peer->is_enabled) control::enable_peer(editor.document(), *peer);
  return apply(console, editor, *change, *peer, "enabled in");
}

int expire_peers(Console& console, PeerEditor& editor, const PeerOptions&) {
  const PeerFile& file = editor.file();
  protocol::DeviceChange change;
  std::vector<const NamedPeer*> expired;
  std::set<PublicKey> keys;
  for (const NamedPeer& peer : file.list.peers) {
    if (!peer.is_enabled || !peer.expires || *peer.expires > now_of(console)) continue;
    expired.push_back(&peer);
    if (!keys.insert(peer.conf.public_key).second) continue;
    change.peers.emplace_back().public_key = peer.conf.public_key;
    change.peers.back().remove = true;
  }
  if (expired.empty()) return status_of(file.is_whole());
  change_sections(editor, keys, disable_section);
  if (!apply_or_say(console, editor, change)) return 1;
  for (const NamedPeer* peer : expired) {
    console.out.print("{} expired on {}\n", peer->name.empty() ? "A peer" : peer->name,
                      control::date_text(*peer->expires));
  }
  return status_of(file.is_whole());
}

}  // namespace ferrule::cli
