#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "cli/peer/handout.h"
#include "cli/peer/new_peer.h"
#include "cli/peer/peer_commands.h"
#include "cli/terminal/now.h"
#include "control/address_pool.h"
#include "crypto/x25519.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

bool choose_name(Console& console, const PeerFile& file, const PeerOptions& options,
                 NewPeer& peer) {
  if (!control::is_peer_name(options.name)) {
    return refuse_words(console, peer, "A name has 1 to 64 characters, and no '#' and no quotes.");
  }
  if (control::find_peer(file.list.peers, options.name) == nullptr) return true;
  return refuse(console, fmt::format("{}: there is a peer `{}' already", file.path, options.name));
}

bool choose_addresses(Console& console, const PeerFile& file, NewPeer& peer) {
  std::vector<Cidr> taken;
  for (const control::InterfaceAddress& own : file.configuration.interface.addresses) {
    taken.emplace_back(own.address, own.address.bits());
  }
  for (const control::NamedPeer& other : file.list.peers) {
    for (const auto& change : other.conf.allowed_ips) taken.push_back(change.cidr);
  }
  if (file.device) {
    for (const protocol::PeerStatus& other : file.device->peers) {
      taken.insert(taken.end(), other.allowed_ips.begin(), other.allowed_ips.end());
    }
  }
  for (const control::InterfaceAddress& own : file.configuration.interface.addresses) {
    const auto same_family = [&](const IpAddress& address) {
      return address.family() == own.address.family();
    };
    if (own.prefix_length == own.address.bits() || own.address.is_link_local()) continue;
    if (std::ranges::any_of(peer.addresses, same_family)) continue;
    const auto address = control::next_free_address(own, taken);
    if (!address) {
      const Cidr network(own.address, own.prefix_length);
      return refuse(console,
                    fmt::format("{}: {} has no free address", file.path, network.to_string()));
    }
    peer.addresses.push_back(*address);
  }
  if (!peer.addresses.empty()) return true;
  return refuse(console,
                fmt::format("{}: [Interface] has no network to take an address from: a line "
                            "like `Address = 10.0.0.1/24'",
                            file.path));
}

bool choose_expiry(Console& console, const PeerOptions& options, NewPeer& peer) {
  if (options.expires.empty()) return true;
  peer.expires = control::parse_expiry(options.expires, now_of(console));
  if (!peer.expires) {
    return refuse_words(console, peer,
                        fmt::format("--expires: expected a date like 2027-01-31 or `2027-01-31 "
                                    "18:00', or a time like 12h, 30d, 4w or 1y, not `{}'",
                                    options.expires));
  }
  if (*peer.expires > now_of(console)) return true;
  return refuse_words(
      console, peer,
      fmt::format("--expires: {} is past (it is {} UTC)", control::date_text(*peer.expires),
                  control::date_text(now_of(console))));
}

// The peer's section in the file of this machine.
control::WipedText section_of(const NewPeer& peer, std::string_view name) {
  control::WipedText text("[Peer]\n");
  files::append_line(text, "# Name", name);
  if (peer.expires) files::append_line(text, "# Expires", control::date_text(*peer.expires));
  files::append_line(text, "PublicKey", to_base64(crypto::public_key_of(peer.private_key)));
  if (!peer.preshared_key.is_zero()) {
    files::append_key_line(text, "PresharedKey", peer.preshared_key.bytes());
  }
  files::append_line(text, "AllowedIPs", list_of(peer.addresses));
  return text;
}

protocol::DeviceChange change_of(const NewPeer& peer) {
  protocol::DeviceChange change;
  protocol::PeerChange& added = change.peers.emplace_back();
  added.public_key = crypto::public_key_of(peer.private_key);
  added.replace_allowed_ips = true;
  if (!peer.preshared_key.is_zero()) {
    added.preshared_key = PresharedKey(peer.preshared_key.clone());
  }
  for (const IpAddress& address : peer.addresses) {
    added.allowed_ips.push_back({Cidr(address, address.bits()), false});
  }
  return change;
}

}  // namespace

int add_peer(Console& console, PeerEditor& editor, const PeerOptions& options) {
  const PeerFile& file = editor.file();
  NewPeer peer;
  const bool is_ready =
      choose_name(console, file, options, peer) &&
      choose_client_part(console, file, options, peer) && choose_addresses(console, file, peer) &&
      choose_expiry(console, options, peer) && choose_keys(console, file, options.has_psk, peer);
  if (!is_ready) return status_without(console, peer);
  const auto conf = client_conf_of(console, options, peer, options.name);
  if (!conf) return status_without(console, peer);
  control::append_peer(editor.document(), section_of(peer, options.name).view());
  Handout handout(console, options);
  if (!handout.prepare(*conf) || !apply_or_say(console, editor, change_of(peer))) return 1;
  if (!handout.give(*conf)) {
    console.err.print(
        "{0} was added, but its configuration, with the only copy of its key, went nowhere.\n"
        "Take it back with `ferrule peer remove {1} {0}'.\n",
        options.name, options.interface);
    return 1;
  }
  console.err.print("{} is in {}{}, as {}\n", options.name, file.interface, if_not_up(file),
                    list_of(peer.addresses));
  if (file.configuration.interface.save_config) {
    console.err.print(
        "Warning: {} has SaveConfig: names and dates are lost when wg-quick saves it\n", file.path);
  }
  return 0;
}

}  // namespace ferrule::cli
