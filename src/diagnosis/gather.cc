#include "diagnosis/gather.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/key_text.h"
#include "control/named_peers.h"
#include "diagnosis/firewall.h"
#include "diagnosis/probe.h"
#include "diagnosis/udp_port.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "files/lookup.h"
#include "io/linux/kernel_query.h"

namespace ferrule::diagnosis {

namespace {

// Addresses that stand for all others, for the prefixes that hold all: RFC 5737 and RFC 3849 keep them
// from being anybody's.
constexpr std::string_view kAnywhereV4 = "203.0.113.1";
constexpr std::string_view kAnywhereV6 = "2001:db8:ffff::1";

std::vector<IpAddress> addresses_of(const std::string& interface) {
  std::vector<IpAddress> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || interface != at->ifa_name) continue;
    if (at->ifa_addr->sa_family == AF_INET) {
      std::array<std::uint8_t, 4> bytes;
      std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr,
                  bytes.size());
      addresses.push_back(IpAddress::v4(bytes));
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      std::array<std::uint8_t, 16> bytes;
      std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr,
                  bytes.size());
      const IpAddress address = IpAddress::v6(bytes);
      if (!address.is_link_local()) addresses.push_back(address);
    }
  }
  freeifaddrs(first);
  return addresses;
}

// An address within a prefix that somebody may have.
IpAddress address_in(const Cidr& cidr) {
  if (cidr.length() == 0) {
    return *IpAddress::parse(cidr.address().family() == Family::v4 ? kAnywhereV4 : kAnywhereV6);
  }
  if (cidr.length() == cidr.address().bits()) return cidr.address();
  std::array<std::uint8_t, 16> bytes{};
  const Bytes from = cidr.address().bytes();
  std::ranges::copy(from, bytes.begin());
  const bool is_v4 = from.size() == 4;
  bytes[is_v4 ? 3 : 15] |= 1u;
  const std::span all(bytes);
  return is_v4 ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all);
}

RouteFacts ask_route(io::KernelQuery& kernel, const Cidr& to, const IpAddress& address,
                     std::uint32_t mark) {
  RouteFacts facts{to, address, {}, {}};
  const auto route = kernel.find_route(address, mark);
  const auto link = route ? kernel.link(route->interface_index)
                          : Result<io::LinkState>(std::unexpected(route.error()));
  if (link) {
    facts.interface = link->name;
  } else {
    facts.problem = link.error().what;
  }
  return facts;
}

// The names of peers and of their hosts, where there is a file that can be read.
std::vector<control::NamedPeer> peers_in_file(const files::ConfPath& conf) {
  const auto text = files::read_file(conf.path);
  if (!text) return {};
  auto peers = control::read_peers(control::ConfDocument(conf.path, text->view()));
  return peers ? std::move(*peers) : std::vector<control::NamedPeer>();
}

void take_from_file(const std::vector<control::NamedPeer>& file, PeerFacts& peer) {
  const auto found = std::ranges::find_if(file, [&](const control::NamedPeer& candidate) {
    return candidate.conf.public_key == peer.key;
  });
  peer.name = to_base64(peer.key);
  if (found == file.end()) return;
  if (!found->name.empty()) peer.name = found->name;
  if (!found->conf.endpoint || IpAddress::parse(found->conf.endpoint->host)) return;
  peer.host = found->conf.endpoint->host;
  peer.service = found->conf.endpoint->service;
  peer.host_addresses = files::look_up(peer.host);
}

PeerFacts facts_of(io::KernelQuery& kernel, const protocol::PeerStatus& status,
                   std::uint32_t mark) {
  PeerFacts peer;
  peer.key = status.public_key;
  peer.endpoint = status.endpoint;
  if (!peer.endpoint.is_none()) {
    const IpAddress& address = peer.endpoint.address;
    peer.endpoint_route = ask_route(kernel, Cidr(address, address.bits()), address, mark);
  }
  for (const Cidr& cidr : status.allowed_ips) {
    peer.routes.push_back(ask_route(kernel, cidr, address_in(cidr), 0));
  }
  return peer;
}

void ask_link(io::KernelQuery& kernel, DoctorFacts& facts) {
  const auto link = kernel.link(facts.interface);
  if (!link) return;
  facts.is_there = true;
  facts.is_up = link->up;
  facts.mtu_bytes = link->mtu;
}

void take_device(const control::DeviceStatus& device, DoctorFacts& facts) {
  facts.has_private_key = device.private_key && !device.private_key->is_zero();
  facts.listen_port = device.listen_port;
  facts.fwmark = device.fwmark;
  PortState port = look_at_port(facts.listen_port, facts.interface);
  facts.is_port_bound = port.is_bound;
  facts.port_owner = std::move(port.other_owner);
}

// False: there is no such peer.
bool keep_only(DoctorFacts& facts, const std::string& only) {
  if (only.empty()) return true;
  std::erase_if(facts.peers, [&](const PeerFacts& peer) {
    return peer.name != only && to_base64(peer.key) != only;
  });
  return !facts.peers.empty();
}

}  // namespace

std::expected<DoctorFacts, std::string> gather_facts(client::DeviceClient& devices,
                                                     const std::string& interface_or_path,
                                                     const std::string& only) {
  const auto conf = files::find_conf(interface_or_path);
  auto kernel = io::KernelQuery::open();
  if (!conf) return std::unexpected(conf.error().what);
  if (!kernel) return std::unexpected(kernel.error().what);
  DoctorFacts facts;
  facts.interface = conf->interface;
  ask_link(*kernel, facts);
  const auto device = devices.get(facts.interface);
  if (!device) {
    facts.daemon_problem = device.error().what;
    return facts;
  }
  take_device(*device, facts);
  facts.addresses = addresses_of(facts.interface);
  const std::vector<control::NamedPeer> file = peers_in_file(*conf);
  for (const protocol::PeerStatus& status : device->peers) {
    take_from_file(file, facts.peers.emplace_back(facts_of(*kernel, status, facts.fwmark)));
  }
  if (!keep_only(facts, only)) {
    return std::unexpected(fmt::format("{}: there is no peer `{}'", facts.interface, only));
  }
  if (!facts.is_there || !facts.is_up || !facts.has_private_key) return facts;
  probe_peers(devices, facts, *device);
  facts.firewall = suspicious_rules(list_ruleset(), facts.interface, facts.listen_port);
  return facts;
}

}  // namespace ferrule::diagnosis
