#include "diagnosis/explain.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/key_text.h"
#include "control/named_peers.h"
#include "diagnosis/machine.h"
#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::diagnosis {

namespace {

std::string name_of_link(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(index, name.data()) == nullptr ? std::string() : name.data();
}

// What the interface's file calls a peer, or its key.
std::string name_of_peer(const std::string& interface, const PublicKey& key) {
  const std::string path = files::conf_path_of(interface);
  if (const auto text = files::read_file(path)) {
    const control::PeerList list = control::list_peers(control::ConfDocument(path, text->view()));
    for (const control::NamedPeer& peer : list.peers) {
      if (peer.conf.public_key == key && !peer.name.empty()) return peer.name;
    }
  }
  return to_base64(key);
}

bool is_applied(const io::RoutingRule& rule, const io::RouteDetails& route, std::uint32_t mark) {
  if (rule.table != route.table) return false;
  if (rule.mark && (*rule.mark == mark) == rule.is_inverted) return false;
  return !rule.suppressed_prefix_length || route.prefix.length() > *rule.suppressed_prefix_length;
}

// A daemon's interface is a TUN device, and the kernel's says what it is.
bool may_be_tunnel(const std::string& interface) {
  const std::string folder = "/sys/class/net/" + interface;
  std::error_code error;
  if (std::filesystem::exists(folder + "/tun_flags", error)) return true;
  std::ifstream file(folder + "/uevent");
  for (std::string line; std::getline(file, line);) {
    if (line == "DEVTYPE=wireguard") return true;
  }
  return false;
}

class Explainer {
 public:
  Explainer(client::DeviceClient& devices, io::KernelQuery kernel, io::Network network)
      : devices_(devices), kernel_(std::move(kernel)), network_(std::move(network)) {}

  std::expected<Explanation, std::string> run(const IpAddress& address, const IpAddress& from) {
    told_.address = address;
    told_.from = from;
    const bool is_forwarded =
        from.family() != Family::none && !kernel_.owner({from, 0}).has_value();
    std::uint32_t incoming = 0;
    if (is_forwarded) incoming = find_incoming(from);
    told_.way = way_to({address, from, incoming, 0});
    if (told_.way.interface.empty()) return std::move(told_);
    if (auto problem = find_peer()) return std::unexpected(std::move(*problem));
    filter_ = read_packet_filter().rules;
    told_.stopper = is_forwarded ? follow_through() : follow_out();
    return std::move(told_);
  }

 private:
  // By the interface that the way back leads by.
  std::uint32_t find_incoming(const IpAddress& from) {
    const auto back = kernel_.route_details({from, {}, 0, 0});
    if (!back) return 0;
    told_.coming_by = name_of_link(back->interface_index);
    const bool is_v4 = from.family() == Family::v4;
    told_.is_forwarding_off =
        sysctl_of(is_v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding") == 0;
    return back->interface_index;
  }

  Way way_to(const io::RouteQuestion& question) {
    Way way;
    const auto route = kernel_.route_details(question);
    if (!route) {
      way.problem = route.error().what;
      return way;
    }
    way.route = *route;
    way.interface = name_of_link(route->interface_index);
    if (way.interface.empty()) way.problem = "the route names no interface";
    const auto rules = network_.rules(question.destination.family());
    if (!rules) return way;
    const auto rule = std::ranges::find_if(*rules, [&](const io::RoutingRule& each) {
      return is_applied(each, *route, question.mark);
    });
    if (rule != rules->end()) way.rule = *rule;
    return way;
  }

  // None: it was looked at, or is no tunnel. Else why it could not be looked at.
  std::optional<std::string> find_peer() {
    const std::string& interface = told_.way.interface;
    const auto device = devices_.get(interface);
    if (!device) {
      const int code = device.error().code;
      const bool is_refused = code == EACCES || code == EPERM;
      if (!is_refused || !may_be_tunnel(interface)) return std::nullopt;
      return interface + ": root is needed to ask whose the address is: " + device.error().what;
    }
    told_.is_tunnel = true;
    told_.mark = device->fwmark;
    port_ = device->listen_port;
    const protocol::PeerStatus* best = nullptr;
    Cidr prefix;
    for (const protocol::PeerStatus& status : device->peers) {
      for (const Cidr& cidr : status.allowed_ips) {
        if (!cidr.contains(told_.address)) continue;
        if (best != nullptr && cidr.length() <= prefix.length()) continue;
        best = &status;
        prefix = cidr;
      }
    }
    if (best == nullptr) return std::nullopt;
    CarryingPeer& peer = told_.peer.emplace();
    peer.key = best->public_key;
    peer.name = name_of_peer(interface, peer.key);
    peer.prefix = prefix;
    peer.endpoint = best->endpoint;
    if (best->last_handshake.seconds != 0) {
      peer.handshake_age_s =
          std::max<std::int64_t>(0, std::time(nullptr) - best->last_handshake.seconds);
    }
    if (peer.endpoint.is_none()) return std::nullopt;
    told_.settings = devices_.settings(interface).value_or(control::DeviceSettings());
    const LocalPlace& place = told_.settings.place;
    const std::uint32_t by = place.interface.empty() ? 0 : if_nametoindex(place.interface.c_str());
    told_.outside = way_to({peer.endpoint.address,
                            place.addresses.of(peer.endpoint.address.family()), 0, told_.mark, by});
    told_.is_loop = told_.outside.interface == interface;
    return std::nullopt;
  }

  // What the packet, and the datagram that carries it, meet on their way out. Of the packet is not known
  // what it is; an echo request stands for it.
  std::optional<FirewallRule> follow_out() {
    FilterPacket packet;
    packet.family = told_.address.family();
    packet.out = told_.way.interface;
    packet.source = told_.from.family() == Family::none ? told_.way.route.source : told_.from;
    packet.destination = told_.address;
    packet.is_udp = false;
    packet.state = "new";
    follow_datagram();
    return first_stopper(packet, {Hook::output, Hook::postrouting});
  }

  std::optional<FirewallRule> follow_through() {
    FilterPacket packet;
    packet.family = told_.address.family();
    packet.in = told_.coming_by;
    packet.out = told_.way.interface;
    packet.source = told_.from;
    packet.destination = told_.address;
    packet.is_udp = false;
    packet.state = "new";
    follow_datagram();
    return first_stopper(packet, {Hook::prerouting, Hook::forward, Hook::postrouting});
  }

  void follow_datagram() {
    if (!told_.peer || told_.outside.interface.empty() || told_.is_loop) return;
    FilterPacket datagram;
    datagram.family = told_.peer->endpoint.address.family();
    datagram.out = told_.outside.interface;
    datagram.source = told_.outside.route.source;
    datagram.destination = told_.peer->endpoint.address;
    datagram.source_port = port_;
    datagram.destination_port = told_.peer->endpoint.port;
    datagram.mark = told_.mark;
    datagram.state = "new";
    told_.outside_stopper = first_stopper(datagram, {Hook::output, Hook::postrouting});
  }

  std::optional<FirewallRule> first_stopper(FilterPacket packet,
                                            std::initializer_list<Hook> hooks) const {
    for (const Hook hook : hooks) {
      packet.hook = hook;
      if (auto rule = filter_.stopper_of(packet)) return rule;
    }
    return std::nullopt;
  }

  client::DeviceClient& devices_;
  io::KernelQuery kernel_;
  io::Network network_;
  PacketFilter filter_;
  std::uint16_t port_ = 0;
  Explanation told_;
};

}  // namespace

bool Explanation::can_send_to(const IpAddress& endpoint) const {
  const LocalPlace& place = settings.place;
  if (place.is_anywhere()) return true;
  const IpAddress& own = place.addresses.of(endpoint.family());
  if (!place.addresses.is_empty() && own.family() == Family::none) return false;
  return std::ranges::none_of(settings.missing, [&](const std::string& missing) {
    return missing == place.interface || missing == own.to_string();
  });
}

std::string Explanation::obstacle() const {
  if (!coming_by.empty() && is_forwarding_off) return "this machine does not forward";
  if (way.interface.empty()) return "no route leads there";
  if (is_tunnel && !peer) return "no peer has this address";
  if (peer && peer->endpoint.is_none()) return "nobody knows where the peer is";
  if (peer && !can_send_to(peer->endpoint.address)) {
    return "the tunnel is bound to what is not there";
  }
  if (is_loop) return "the peer's endpoint is routed into the tunnel itself";
  if (peer && outside.interface.empty()) return "no route leads to the peer's endpoint";
  if (stopper && stopper->is_certain) return "the packet filter stops it";
  if (outside_stopper && outside_stopper->is_certain) return "the packet filter stops the datagram";
  return "";
}

std::expected<Explanation, std::string> explain(client::DeviceClient& devices,
                                                const IpAddress& address, const IpAddress& from) {
  auto kernel = io::KernelQuery::open();
  auto network = io::Network::open();
  if (!kernel) return std::unexpected(kernel.error().what);
  if (!network) return std::unexpected(network.error().what);
  return Explainer(devices, std::move(*kernel), std::move(*network)).run(address, from);
}

}  // namespace ferrule::diagnosis
