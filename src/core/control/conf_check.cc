#include "control/conf_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "control/odd_values.h"
#include "control/section_findings.h"

namespace ferrule::control {

namespace {

constexpr std::uint32_t kOverheadV4 = 60;  // outer IPv4 and UDP headers, and those of a message
constexpr std::uint32_t kOverheadV6 = 80;
constexpr std::uint32_t kLeastMtuV6 = 1280;  // RFC 8200 §5
constexpr std::uint32_t kLeastMtu = 68;      // RFC 791
constexpr std::uint32_t kOthersMayRead = 0004;

// A value where it stands in the file.
struct Place {
  std::size_t line = 0;
  std::string_view text;
};

// One value, several between commas, or several between commas or white space.
enum class Shape { value, list, words };

struct AllowedIp {
  Cidr cidr;
  std::size_t peer = 0;
  Place place;
};

bool holds(const Cidr& wide, const Cidr& narrow) {
  return wide.length() <= narrow.length() && wide.contains(narrow.address());
}

std::uint32_t overhead_of(const IpAddress& endpoint) {
  return endpoint.family() == Family::v6 ? kOverheadV6 : kOverheadV4;
}

class Checker {
 public:
  Checker(const ConfDocument& document, const Configuration& configuration,
          const MachineFacts& facts)
      : document_(document), configuration_(configuration), facts_(facts) {
    for (const ConfSection& section : document.sections()) {
      if (section.kind == ConfSectionKind::interface) interface_sections_.push_back(&section);
    }
    collect_allowed_ips();
  }

  std::vector<ConfFinding> check() {
    for (const ConfError& warning : configuration_.warnings) {
      findings_.push_back({Severity::warning, "host-bits", warning});
    }
    std::ranges::move(find_section_mistakes(document_), std::back_inserter(findings_));
    std::ranges::move(find_odd_values(document_), std::back_inserter(findings_));
    check_private_key();
    check_peers_exist();
    check_addresses();
    check_dns();
    check_mtu();
    check_keys();
    check_overlaps();
    for (std::size_t i = 0; i < configuration_.peers.size(); ++i) check_peer(i);
    std::ranges::stable_sort(findings_, {}, [](const ConfFinding& finding) {
      return std::pair(finding.where.line, finding.where.column);
    });
    return std::move(findings_);
  }

 private:
  void check_private_key();
  void check_peers_exist();
  void check_addresses();
  void check_dns();
  void check_mtu();
  void check_keys();
  void check_overlaps();
  void check_overlap(const AllowedIp& ip, const AllowedIp& other);
  void check_peer(std::size_t index);
  void check_endpoint(std::size_t index, const Place& place);
  void collect_allowed_ips();

  // The values of `key` in a section, in the order in which they are read; lists one by one.
  [[nodiscard]] static std::vector<Place> values(const ConfSection& section, std::string_view key,
                                                 Shape shape = Shape::value);
  [[nodiscard]] std::vector<Place> interface_values(std::string_view key,
                                                    Shape shape = Shape::value) const;
  [[nodiscard]] const ConfSection& section_of(std::size_t peer) const {
    return document_.sections()[configuration_.peers[peer].section];
  }
  [[nodiscard]] Place header_of(const ConfSection& section) const {
    const std::string_view line = document_.line(section.header_line);
    return {section.header_line, trimmed(line.substr(0, line.find('#')))};
  }
  [[nodiscard]] std::size_t line_number(std::size_t peer) const {
    return section_of(peer).header_line + 1;
  }
  [[nodiscard]] const EndpointFacts* facts_about(const HostPort& endpoint) const {
    const auto found = std::ranges::find(facts_.endpoints, endpoint.host, &EndpointFacts::host);
    return found == facts_.endpoints.end() ? nullptr : &*found;
  }
  void find(Severity severity, std::string_view rule, const Place& place, std::string message) {
    findings_.push_back(
        {severity, rule, document_.error_at(place.line, place.text, std::move(message))});
  }

  const ConfDocument& document_;
  const Configuration& configuration_;
  const MachineFacts& facts_;
  std::vector<const ConfSection*> interface_sections_;
  std::vector<AllowedIp> allowed_ips_;
  std::vector<ConfFinding> findings_;
};

std::vector<Place> Checker::values(const ConfSection& section, std::string_view key, Shape shape) {
  const auto separates = [shape](char c) {
    return (shape != Shape::value && c == ',') || (shape == Shape::words && is_conf_space(c));
  };
  std::vector<Place> places;
  for (const ConfEntry& entry : section.entries) {
    if (!is_named(entry.key, key)) continue;
    std::string_view left = entry.value;
    while (true) {
      const auto size =
          static_cast<std::size_t>(std::ranges::find_if(left, separates) - left.begin());
      const std::string_view text = trimmed(left.substr(0, size));
      if (shape != Shape::words || !text.empty()) places.push_back({entry.line, text});
      if (size == left.size()) break;
      left.remove_prefix(size + 1);
    }
  }
  return places;
}

std::vector<Place> Checker::interface_values(std::string_view key, Shape shape) const {
  std::vector<Place> all;
  for (const ConfSection* section : interface_sections_) {
    std::ranges::move(values(*section, key, shape), std::back_inserter(all));
  }
  return all;
}

void Checker::collect_allowed_ips() {
  for (std::size_t peer = 0; peer < configuration_.peers.size(); ++peer) {
    const std::vector<Place> places = values(section_of(peer), "AllowedIPs", Shape::list);
    const auto& changes = configuration_.peers[peer].allowed_ips;
    for (std::size_t i = 0; i < changes.size() && i < places.size(); ++i) {
      if (!changes[i].remove) allowed_ips_.push_back({changes[i].cidr, peer, places[i]});
    }
  }
}

void Checker::check_private_key() {
  const std::vector<Place> keys = interface_values("PrivateKey");
  if (!keys.empty()) {
    if (facts_.file_mode && (*facts_.file_mode & kOthersMayRead) != 0) {
      find(Severity::warning, "readable-keys", keys.back(),
           fmt::format("everyone on this machine may read this key: chmod 600 {}",
                       document_.file()));
    }
    return;
  }
  // A hook may bring the key, which then is in no file.
  const InterfaceConf& interface = configuration_.interface;
  if (interface_sections_.empty() || !interface.pre_up.empty() || !interface.post_up.empty())
    return;
  find(Severity::error, "no-private-key", header_of(*interface_sections_.front()),
       "there is no PrivateKey: no peer will ever answer");
}

// A server that is new has no peers yet.
void Checker::check_peers_exist() {
  const InterfaceConf& interface = configuration_.interface;
  const bool is_expected = !interface.private_key || interface.listen_port.value_or(0) != 0;
  if (is_expected || !configuration_.peers.empty() || interface_sections_.empty()) return;
  find(Severity::warning, "no-peers", header_of(*interface_sections_.front()),
       "there is no [Peer], and no ListenPort where one could call");
}

void Checker::check_addresses() {
  const std::vector<Place> places = interface_values("Address", Shape::words);
  const std::vector<InterfaceAddress>& addresses = configuration_.interface.addresses;
  for (std::size_t i = 0; i < addresses.size() && i < places.size(); ++i) {
    const IpAddress& address = addresses[i].address;
    for (std::size_t j = 0; j < i; ++j) {
      if (addresses[j].address != address) continue;
      find(Severity::error, "duplicate-address", places[i],
           fmt::format("Address: {} stands in line {} already", address.to_string(),
                       places[j].line + 1));
      break;
    }
    for (const AllowedIp& ip : allowed_ips_) {
      if (ip.cidr != Cidr(address, address.bits())) continue;
      find(Severity::error, "duplicate-address", ip.place,
           fmt::format("AllowedIPs: {} is this machine's own address", address.to_string()));
    }
  }
}

void Checker::check_dns() {
  if (allowed_ips_.empty()) return;
  std::vector<Place> places = interface_values("DNS", Shape::words);
  std::erase_if(places, [](const Place& place) { return !IpAddress::parse(place.text); });
  const std::vector<IpAddress>& servers = configuration_.interface.dns_servers;
  for (std::size_t i = 0; i < servers.size() && i < places.size(); ++i) {
    const bool is_inside = std::ranges::any_of(
        allowed_ips_, [&](const AllowedIp& ip) { return ip.cidr.contains(servers[i]); });
    if (is_inside) continue;
    find(Severity::warning, "dns-outside", places[i],
         fmt::format("DNS: no peer's AllowedIPs hold {}: questions go past the tunnel, or nowhere",
                     servers[i].to_string()));
  }
}

void Checker::check_mtu() {
  const std::vector<Place> places = interface_values("MTU");
  const auto mtu_bytes = configuration_.interface.mtu_bytes;
  if (!mtu_bytes || places.empty()) return;
  std::optional<std::uint32_t> room;
  std::string_view host;
  for (const EndpointFacts& facts : facts_.endpoints) {
    if (!facts.mtu_bytes || facts.addresses.empty()) continue;
    const std::uint32_t overhead = overhead_of(facts.addresses.front());
    const std::uint32_t left = *facts.mtu_bytes > overhead ? *facts.mtu_bytes - overhead : 0;
    if (room && *room <= left) continue;
    room = left;
    host = facts.host;
  }
  if (room && *mtu_bytes > *room) {
    find(Severity::warning, "mtu-too-large", places.back(),
         fmt::format("MTU: the way to {} has room for {} bytes: large packets will be cut or lost",
                     host, *room));
  }
  if (*mtu_bytes < kLeastMtu) {
    return find(Severity::error, "mtu-too-small", places.back(),
                fmt::format("MTU: no interface takes less than {} bytes", kLeastMtu));
  }
  const bool has_v6 = std::ranges::any_of(
      configuration_.interface.addresses,
      [](const InterfaceAddress& address) { return address.address.family() == Family::v6; });
  if (has_v6 && *mtu_bytes < kLeastMtuV6) {
    find(Severity::error, "mtu-too-small", places.back(),
         fmt::format("MTU: IPv6 needs {} bytes at least: the tunnel is without it", kLeastMtuV6));
  }
}

void Checker::check_keys() {
  std::map<PublicKey, std::size_t> first;
  for (std::size_t i = 0; i < configuration_.peers.size(); ++i) {
    const PublicKey& key = configuration_.peers[i].public_key;
    const Place place = values(section_of(i), "PublicKey").back();
    if (facts_.own_key && *facts_.own_key == key) {
      find(Severity::error, "own-key", place,
           "PublicKey: this is the key of this very interface; the peer's is wanted");
    }
    const auto [before, is_new] = first.emplace(key, i);
    if (is_new) continue;
    find(Severity::error, "duplicate-key", place,
         fmt::format("PublicKey: the peer of line {} has the same key: the two are one",
                     line_number(before->second)));
  }
}

// A default route beside narrower prefixes is how one says "everything else".
void Checker::check_overlap(const AllowedIp& ip, const AllowedIp& other) {
  if (ip.peer == other.peer) return;
  if (configuration_.peers[ip.peer].public_key == configuration_.peers[other.peer].public_key)
    return;
  if (ip.cidr == other.cidr) {
    find(Severity::error, "overlapping-allowed-ips", ip.place,
         fmt::format("AllowedIPs: the peer of line {} has {} too: only this one gets it",
                     line_number(other.peer), ip.cidr.to_string()));
  } else if (other.cidr.length() > 0 && holds(other.cidr, ip.cidr)) {
    find(Severity::warning, "overlapping-allowed-ips", ip.place,
         fmt::format("AllowedIPs: {} is part of {} of the peer of line {}, which does not get it",
                     ip.cidr.to_string(), other.cidr.to_string(), line_number(other.peer)));
  }
}

// Sorted, prefixes that hold each other are neighbours: a stack of those open at a time finds all in
// one pass, however many peers there are. Each prefix is told of the narrowest around it.
void Checker::check_overlaps() {
  std::vector<const AllowedIp*> sorted;
  sorted.reserve(allowed_ips_.size());
  for (const AllowedIp& ip : allowed_ips_) sorted.push_back(&ip);
  std::ranges::stable_sort(sorted, {}, [](const AllowedIp* ip) {
    return std::pair(ip->cidr.address().family(), ip->cidr);
  });
  std::vector<const AllowedIp*> around;
  for (const AllowedIp* ip : sorted) {
    while (!around.empty() && !holds(around.back()->cidr, ip->cidr)) around.pop_back();
    if (!around.empty()) check_overlap(*ip, *around.back());
    around.push_back(ip);
  }
}

void Checker::check_peer(std::size_t index) {
  const PeerConf& peer = configuration_.peers[index];
  const ConfSection& section = section_of(index);
  const bool listens = configuration_.interface.listen_port.value_or(0) != 0;
  if (peer.allowed_ips.empty()) {
    find(Severity::warning, "no-allowed-ips", header_of(section),
         "this peer has no AllowedIPs: nothing is sent to it, and nothing taken from it");
  }
  if (!peer.endpoint) {
    if (!listens) {
      find(Severity::warning, "unreachable", header_of(section),
           "neither side can begin: this peer has no Endpoint, and this machine no ListenPort that "
           "the peer could know");
    }
    return;
  }
  const Place place = values(section, "Endpoint").back();
  if (!listens && peer.persistent_keepalive_s.value_or(0) == 0) {
    find(Severity::warning, "no-keepalive", place,
         "no PersistentKeepalive: from behind NAT the peer can only answer, until this machine "
         "sends again; 25 is usual");
  }
  check_endpoint(index, place);
}

// wg-quick keeps the tunnel's own datagrams out of a default route, and out of no other.
void Checker::check_endpoint(std::size_t index, const Place& place) {
  const EndpointFacts* facts = facts_about(*configuration_.peers[index].endpoint);
  if (facts == nullptr || configuration_.interface.table == "off") return;
  for (const IpAddress& address : facts->addresses) {
    for (const AllowedIp& ip : allowed_ips_) {
      if (ip.cidr.length() == 0 || !ip.cidr.contains(address)) continue;
      if (facts->route_length > ip.cidr.length()) continue;
      find(
          Severity::error, "endpoint-in-tunnel", place,
          fmt::format("Endpoint: {} lies within {} of line {}: what goes to the peer would go into "
                      "the tunnel itself",
                      address.to_string(), ip.cidr.to_string(), ip.place.line + 1));
      return;
    }
  }
}

}  // namespace

std::vector<ConfFinding> check_configuration(const ConfDocument& document,
                                             const Configuration& configuration,
                                             const MachineFacts& facts) {
  return Checker(document, configuration, facts).check();
}

}  // namespace ferrule::control
