#include "cli/quick/difference.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "base/key_text.h"
#include "base/secret.h"
#include "cli/scopes.h"

namespace ferrule::cli {

namespace {

using protocol::PeerChange;
using protocol::PeerStatus;

std::string prefixes_text(std::vector<Cidr> prefixes) {
  if (prefixes.empty()) return "(none)";
  std::vector<std::string> texts;
  for (const Cidr& prefix : prefixes) texts.push_back(prefix.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::vector<Cidr> added(const PeerChange& peer) {
  std::vector<Cidr> prefixes;
  for (const protocol::AllowedIpChange& ip : peer.allowed_ips) {
    if (!ip.remove) prefixes.push_back(ip.cidr);
  }
  return prefixes;
}

bool have_same(std::vector<Cidr> a, std::vector<Cidr> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  const auto repeated_a = std::ranges::unique(a);
  a.erase(repeated_a.begin(), repeated_a.end());
  return a == b;
}

// The device gives a prefix to the peer that names it last.
void give_prefixes_to_the_last(std::vector<PeerChange>& peers) {
  std::map<Cidr, std::size_t> owners;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    for (const protocol::AllowedIpChange& ip : peers[i].allowed_ips) {
      if (!ip.remove) owners[ip.cidr] = i;
    }
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    std::erase_if(peers[i].allowed_ips, [&](const protocol::AllowedIpChange& ip) {
      return !ip.remove && owners[ip.cidr] != i;
    });
  }
}

// Lines for what differs; fields that do not are taken out of the change.
std::vector<std::string> differences(PeerChange& change, const PeerStatus& peer) {
  std::vector<std::string> lines;
  const std::string key = "peer " + to_base64(peer.public_key);
  if (change.remove) return {key + ": removed"};
  const bool has_psk = change.preshared_key.has_value();
  if (has_psk && constant_time_equal(change.preshared_key->bytes(), peer.preshared_key.bytes())) {
    change.preshared_key.reset();
  } else if (has_psk) {
    lines.push_back(key + ": preshared key");
  }
  if (change.endpoint == peer.endpoint) change.endpoint.reset();
  if (change.endpoint) {
    const std::string before = peer.endpoint.is_none() ? "(none)" : text_of(peer.endpoint);
    lines.push_back(fmt::format("{}: endpoint {} -> {}", key, before, text_of(*change.endpoint)));
  }
  if (change.persistent_keepalive_s == peer.persistent_keepalive_s) {
    change.persistent_keepalive_s.reset();
  }
  if (change.persistent_keepalive_s) {
    lines.push_back(fmt::format("{}: persistent keepalive {} s -> {} s", key,
                                peer.persistent_keepalive_s, *change.persistent_keepalive_s));
  }
  if (change.replace_allowed_ips && have_same(added(change), peer.allowed_ips)) {
    change.replace_allowed_ips = false;
    change.allowed_ips.clear();
  } else {
    lines.push_back(fmt::format("{}: allowed IPs {} -> {}", key, prefixes_text(peer.allowed_ips),
                                prefixes_text(added(change))));
  }
  return lines;
}

template <class T>
void keep_if_other(std::vector<std::string>& lines, std::string_view name, std::optional<T>& wanted,
                   const T& has) {
  if (wanted == has) wanted.reset();
  if (wanted) lines.push_back(fmt::format("{} {} -> {}", name, has, *wanted));
}

}  // namespace

std::vector<std::string> keep_differences(protocol::DeviceChange& change,
                                          const control::DeviceStatus& device) {
  std::vector<std::string> lines;
  if (change.private_key) {
    static const PrivateKey kNone;
    const PrivateKey& has = device.private_key ? *device.private_key : kNone;
    if (constant_time_equal(change.private_key->bytes(), has.bytes())) {
      change.private_key.reset();
    } else {
      lines.emplace_back("private key");
    }
  }
  keep_if_other(lines, "listen port", change.listen_port, device.listen_port);
  keep_if_other(lines, "mark", change.fwmark, device.fwmark);
  give_prefixes_to_the_last(change.peers);
  std::map<PublicKey, const PeerStatus*> peers;
  for (const PeerStatus& peer : device.peers) peers.emplace(peer.public_key, &peer);
  if (change.replace_peers) {
    for (const PeerStatus& peer : device.peers) {
      lines.push_back("peer " + to_base64(peer.public_key) + ": removed");
    }
    change.replace_peers = !peers.empty();
    peers.clear();
  }
  std::erase_if(change.peers, [&](PeerChange& wanted) {
    const auto has = peers.find(wanted.public_key);
    if (has == peers.end()) {
      lines.push_back("peer " + to_base64(wanted.public_key) + ": added");
      return false;
    }
    auto of_peer = differences(wanted, *has->second);
    std::ranges::move(of_peer, std::back_inserter(lines));
    return of_peer.empty();
  });
  return lines;
}

}  // namespace ferrule::cli
