#include "quick/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/key_text.h"
#include "base/secret.h"
#include "client/scopes.h"
#include "control/prefix_list.h"
#include "crypto/x25519.h"
#include "quick/bind.h"

namespace ferrule::quick {

namespace {

using protocol::PeerChange;
using protocol::PeerStatus;

std::string prefixes_text(const std::vector<Cidr>& prefixes) {
  return prefixes.empty() ? "(none)" : control::prefix_list(prefixes);
}

// Those that a peer has after a change.
std::vector<Cidr> after(const PeerChange& change, const std::vector<Cidr>& before) {
  std::set<Cidr> prefixes;
  if (!change.replace_allowed_ips) prefixes.insert(before.begin(), before.end());
  for (const protocol::AllowedIpChange& ip : change.allowed_ips) {
    if (ip.remove) {
      prefixes.erase(ip.cidr);
    } else {
      prefixes.insert(ip.cidr);
    }
  }
  return {prefixes.begin(), prefixes.end()};
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
void give_prefixes_to_the_last(Segments<PeerChange>& peers) {
  std::map<Cidr, std::size_t> owners;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    for (const protocol::AllowedIpChange& ip : peers[i].allowed_ips) {
      if (!ip.remove) owners[ip.cidr] = i;
    }
  }
  for (std::size_t i = 0; i < peers.size(); ++i) {
    erase_if(peers[i].allowed_ips, [&](const protocol::AllowedIpChange& ip) {
      return !ip.remove && owners[ip.cidr] != i;
    });
  }
}

// A device keeps a key as it is computed with.
bool is_same_key(const PrivateKey& wanted, const PrivateKey& has) {
  if (constant_time_equal(wanted.bytes(), has.bytes())) return true;
  PrivateKey clamped(wanted.clone());
  crypto::clamp(clamped);
  return constant_time_equal(clamped.bytes(), has.bytes());
}

// What is said of a peer.
class OfPeer {
 public:
  explicit OfPeer(const PublicKey& key) : key_(key), whose_("peer " + to_base64(key) + ": ") {}

  [[nodiscard]] Difference operator()(std::string_view change, std::string_view words) const {
    return {.text = whose_ + std::string(words), .change = change, .peer = key_};
  }
  [[nodiscard]] Difference endpoint(const Endpoint& from, const Endpoint& to) const {
    const bool had_none = from.is_none();
    const std::string before = had_none ? "(none)" : client::text_of(from);
    Difference told =
        (*this)("endpoint", fmt::format("endpoint {} -> {}", before, client::text_of(to)));
    told.from = from;
    told.to = to;
    return told;
  }
  [[nodiscard]] Difference keepalive(std::uint16_t from_s, std::uint16_t to_s) const {
    Difference told = (*this)("persistent-keepalive",
                              fmt::format("persistent keepalive {} s -> {} s", from_s, to_s));
    told.from = std::uint64_t{from_s};
    told.to = std::uint64_t{to_s};
    return told;
  }
  [[nodiscard]] Difference allowed_ips(const std::vector<Cidr>& from,
                                       const std::vector<Cidr>& to) const {
    Difference told = (*this)(
        "allowed-ips", fmt::format("allowed IPs {} -> {}", prefixes_text(from), prefixes_text(to)));
    told.from = from;
    told.to = to;
    return told;
  }

 private:
  PublicKey key_;
  std::string whose_;
};

// What differs; fields that do not are taken out of the change.
std::vector<Difference> differences(PeerChange& change, const PeerStatus& peer) {
  std::vector<Difference> found;
  const OfPeer tell(peer.public_key);
  if (change.remove) return {tell("peer-removed", "removed")};
  const bool has_psk = change.preshared_key.has_value();
  if (has_psk && constant_time_equal(change.preshared_key->bytes(), peer.preshared_key.bytes())) {
    change.preshared_key.reset();
  } else if (has_psk) {
    found.push_back(tell("preshared-key", "preshared key"));
  }
  if (change.endpoint == peer.endpoint) change.endpoint.reset();
  if (change.endpoint) found.push_back(tell.endpoint(peer.endpoint, *change.endpoint));
  if (change.persistent_keepalive_s == peer.persistent_keepalive_s) {
    change.persistent_keepalive_s.reset();
  }
  if (change.persistent_keepalive_s) {
    found.push_back(tell.keepalive(peer.persistent_keepalive_s, *change.persistent_keepalive_s));
  }
  if (have_same(after(change, peer.allowed_ips), peer.allowed_ips)) {
    change.replace_allowed_ips = false;
    change.allowed_ips.clear();
  } else {
    found.push_back(tell.allowed_ips(peer.allowed_ips, change.replace_allowed_ips
                                                           ? added(change)
                                                           : after(change, peer.allowed_ips)));
  }
  return found;
}

// `name` is for people, `field` for programs.
template <class T>
void keep_if_other(std::vector<Difference>& found, std::string_view name, std::string_view field,
                   std::optional<T>& wanted, const T& has) {
  if (wanted == has) wanted.reset();
  if (!wanted) return;
  found.push_back({.text = fmt::format("{} {} -> {}", name, has, *wanted),
                   .change = field,
                   .from = std::uint64_t{has},
                   .to = std::uint64_t{*wanted}});
}

void keep_other_place(std::vector<Difference>& found, protocol::DeviceChange& change,
                      const LocalPlace& has) {
  const LocalPlace wanted{change.bind.value_or(has.addresses),
                          change.bind_interface.value_or(has.interface)};
  if (wanted.addresses == has.addresses) change.bind.reset();
  if (wanted.interface == has.interface) change.bind_interface.reset();
  if (wanted == has) return;
  found.push_back({.text = fmt::format("bound to {} -> {}", place_text(has), place_text(wanted)),
                   .change = "bind",
                   .from = place_text(has),
                   .to = place_text(wanted)});
}

}  // namespace

void join_sections(Segments<PeerChange>& peers, const control::DeviceStatus& device) {
  std::map<PublicKey, std::size_t> first;
  Segments<PeerChange> joined;
  for (PeerChange& peer : peers) {
    const auto [at, is_new] = first.emplace(peer.public_key, joined.size());
    if (is_new || peer.remove || joined[at->second].remove) {
      joined.push_back(std::move(peer));
      continue;
    }
    PeerChange& to = joined[at->second];
    if (peer.preshared_key) to.preshared_key = std::move(peer.preshared_key);
    if (peer.endpoint) to.endpoint = peer.endpoint;
    if (peer.persistent_keepalive_s) to.persistent_keepalive_s = peer.persistent_keepalive_s;
    if (peer.replace_allowed_ips) to.allowed_ips.clear();
    to.replace_allowed_ips = to.replace_allowed_ips || peer.replace_allowed_ips;
    std::ranges::move(peer.allowed_ips, std::back_inserter(to.allowed_ips));
  }
  peers = std::move(joined);
  if (!device.public_key) return;
  erase_if(peers, [&](const PeerChange& peer) {
    return peer.public_key == *device.public_key && !peer.remove;
  });
}

std::vector<Difference> keep_differences(protocol::DeviceChange& change,
                                         const control::DeviceStatus& device,
                                         const LocalPlace& place) {
  std::vector<Difference> found;
  if (change.private_key) {
    static const PrivateKey kNone;
    const PrivateKey& has = device.private_key ? *device.private_key : kNone;
    if (is_same_key(*change.private_key, has)) {
      change.private_key.reset();
    } else {
      found.push_back({.text = "private key", .change = "private-key"});
    }
  }
  // Any port will do, and there is one.
  if (change.listen_port == 0) change.listen_port.reset();
  keep_if_other(found, "listen port", "listen-port", change.listen_port, device.listen_port);
  keep_if_other(found, "mark", "fwmark", change.fwmark, device.fwmark);
  keep_other_place(found, change, place);
  join_sections(change.peers, device);
  give_prefixes_to_the_last(change.peers);
  std::map<PublicKey, const PeerStatus*> peers;
  for (const PeerStatus& peer : device.peers) peers.emplace(peer.public_key, &peer);
  if (change.replace_peers) {
    for (const PeerStatus& peer : device.peers) {
      found.push_back(OfPeer(peer.public_key)("peer-removed", "removed"));
    }
    change.replace_peers = !peers.empty();
    peers.clear();
  }
  erase_if(change.peers, [&](PeerChange& wanted) {
    const auto has = peers.find(wanted.public_key);
    if (has == peers.end()) {
      found.push_back(OfPeer(wanted.public_key)("peer-added", "added"));
      return false;
    }
    auto of_peer = differences(wanted, *has->second);
    std::ranges::move(of_peer, std::back_inserter(found));
    return of_peer.empty();
  });
  return found;
}

}  // namespace ferrule::quick
