#include "diagnosis/diagnose.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/key_text.h"

namespace ferrule::diagnosis {

namespace {

class Doctor {
 public:
  explicit Doctor(const DoctorFacts& facts) : facts_(facts) {}

  std::vector<Diagnosis> diagnose() {
    if (look_at_interface()) {
      look_at_socket();
      look_at_addresses();
      for (const PeerFacts& peer : facts_.peers) look_at_peer(peer);
      look_at_counters();
      if (is_cut_off()) look_at_firewall();
    }
    return std::move(found_);
  }

 private:
  bool look_at_interface();
  void look_at_socket();
  void look_at_addresses();
  void look_at_peer(const PeerFacts& peer);
  void look_at_routes(const PeerFacts& peer);
  void look_at_endpoint(const PeerFacts& peer);
  void look_at_name(const PeerFacts& peer);
  void look_at_handshake(const PeerFacts& peer, const ProbeFacts& probe);
  void look_at_traffic(const PeerFacts& peer, const ProbeFacts& probe);
  void look_at_counters();
  void look_at_firewall();

  [[nodiscard]] std::uint64_t drops(std::string_view name) const {
    const auto count = facts_.counted.find("drop_" + std::string(name));
    return count == facts_.counted.end() ? 0 : count->second;
  }
  [[nodiscard]] bool is_cut_off() const {
    return std::ranges::any_of(
        facts_.peers, [](const PeerFacts& peer) { return peer.probe && !peer.probe->is_answered; });
  }
  [[nodiscard]] std::string set_peer(const PeerFacts& peer, std::string_view words) const {
    return fmt::format("ferrule set {} peer {} {}", facts_.interface, to_base64(peer.key), words);
  }
  void find(std::string_view name, std::string what, std::string how, std::string mend) {
    found_.push_back({name, "", std::move(what), std::move(how), std::move(mend)});
  }
  void find(std::string_view name, const PeerFacts& peer, std::string what, std::string how,
            std::string mend) {
    found_.push_back({name, peer.name, std::move(what), std::move(how), std::move(mend)});
  }

  const DoctorFacts& facts_;
  std::vector<Diagnosis> found_;
};

// False: there is nothing more to look at.
bool Doctor::look_at_interface() {
  const std::string& name = facts_.interface;
  if (!facts_.is_there) {
    find("no-interface", fmt::format("there is no interface {}", name),
         "the kernel knows none of this name", fmt::format("ferrule up {}", name));
    return false;
  }
  if (!facts_.daemon_problem.empty()) {
    find("no-daemon",
         fmt::format("nobody runs {}: the interface is there, its daemon is not", name),
         fmt::format("its configuration socket does not answer: {}", facts_.daemon_problem),
         fmt::format("ip link del {0}; ferrule up {0}", name));
    return false;
  }
  if (!facts_.is_up) {
    find("interface-down", fmt::format("{} is down: nothing is sent or received", name),
         "the kernel says so", fmt::format("ip link set {} up", name));
    return false;
  }
  if (!facts_.has_private_key) {
    find("no-private-key", fmt::format("{} has no private key: it can make no handshake", name),
         "the daemon says so", fmt::format("ferrule set {} private-key FILE", name));
    return false;
  }
  if (facts_.peers.empty()) {
    find("no-peers", fmt::format("{} has no peers", name), "the daemon says so",
         fmt::format("ferrule set {} peer KEY allowed-ips ADDRESSES endpoint HOST:PORT", name));
    return false;
  }
  return true;
}

void Doctor::look_at_socket() {
  const std::string mend = fmt::format("ferrule set {} listen-port PORT", facts_.interface);
  if (!facts_.port_owner.empty()) {
    find("port-taken",
         fmt::format("UDP port {} belongs to another program: {}", facts_.listen_port,
                     facts_.port_owner),
         "the kernel's list of sockets, and who has them open",
         "end that program, or take another port: " + mend);
  } else if (!facts_.is_port_bound) {
    find("port-unbound",
         fmt::format("UDP port {} is not open: nobody can reach this machine", facts_.listen_port),
         "it is not in the kernel's list of sockets", mend);
  }
}

void Doctor::look_at_addresses() {
  const auto lacks = [&](Family family) {
    const auto is_of = [&](const IpAddress& address) { return address.family() == family; };
    const auto wants = [&](const RouteFacts& route) { return is_of(route.address); };
    return std::ranges::none_of(facts_.addresses, is_of) &&
           std::ranges::any_of(facts_.peers, [&](const PeerFacts& peer) {
             return std::ranges::any_of(peer.routes, wants);
           });
  };
  for (const auto& [family, name, example] : {std::tuple(Family::v4, "IPv4", "10.0.0.2/24"),
                                              std::tuple(Family::v6, "IPv6", "fd00::2/64")}) {
    if (!lacks(family)) continue;
    find("no-address",
         fmt::format("{} has no {} address, though peers have {} prefixes", facts_.interface, name,
                     name),
         "the kernel's list of addresses",
         fmt::format("ip address add {} dev {}, with the address that the peer expects", example,
                     facts_.interface));
  }
}

void Doctor::look_at_peer(const PeerFacts& peer) {
  look_at_routes(peer);
  look_at_endpoint(peer);
  if (!peer.probe) return;
  if (peer.probe->has_session || peer.probe->is_answered) {
    look_at_traffic(peer, *peer.probe);
  } else {
    look_at_name(peer);
    look_at_handshake(peer, *peer.probe);
  }
}

void Doctor::look_at_routes(const PeerFacts& peer) {
  if (peer.routes.empty()) {
    find("no-allowed-ips", peer, "no address belongs to this peer: nothing is sent to it",
         "its allowed IPs are empty", set_peer(peer, "allowed-ips ADDRESSES"));
  }
  for (const RouteFacts& route : peer.routes) {
    if (route.interface == facts_.interface) continue;
    const std::string where = route.interface.empty()
                                  ? fmt::format("go nowhere ({})", route.problem)
                                  : fmt::format("leave by {}", route.interface);
    find(route.interface.empty() ? "route-missing" : "route-elsewhere", peer,
         fmt::format("packets to {} do not go into the tunnel", route.to.to_string()),
         fmt::format("those to {} {}, says the kernel", route.address.to_string(), where),
         fmt::format("ip route add {} dev {}", route.to.to_string(), facts_.interface));
  }
}

void Doctor::look_at_endpoint(const PeerFacts& peer) {
  const bool is_talking = peer.probe && peer.probe->has_session;
  if (peer.endpoint.is_none()) {
    find("no-endpoint", peer, "nobody knows where this peer is: it must call first",
         "it has no endpoint, and has not been heard from",
         set_peer(peer, "endpoint HOST:PORT") + ", or start the tunnel on the peer's side");
    return;
  }
  const RouteFacts& route = peer.endpoint_route;
  if (route.interface == facts_.interface) {
    find("endpoint-loop", peer, "the tunnel's own messages to this peer go into the tunnel",
         fmt::format("the route to its endpoint {} leaves by {}", peer.endpoint.to_string(),
                     facts_.interface),
         fmt::format("ip route add {} via GATEWAY dev INTERFACE, as it was without the tunnel",
                     Cidr(peer.endpoint.address, peer.endpoint.address.bits()).to_string()));
  } else if (route.interface.empty() && !is_talking) {
    find("endpoint-unreachable", peer,
         fmt::format("there is no way to its endpoint {}", peer.endpoint.to_string()),
         fmt::format("the kernel says: {}", route.problem),
         "connect this machine to that network, or give it a default route");
  }
}

void Doctor::look_at_name(const PeerFacts& peer) {
  if (peer.host.empty()) return;
  const std::string mend = set_peer(peer, fmt::format("endpoint {}:{}", peer.host, peer.service));
  if (peer.host_addresses.empty()) {
    find("endpoint-unresolved", peer, fmt::format("{} has no address", peer.host),
         "its name was looked up, as the file has it", "check the name, and this machine's DNS");
  } else if (!peer.endpoint.is_none() &&
             std::ranges::find(peer.host_addresses, peer.endpoint.address) ==
                 peer.host_addresses.end()) {
    find("endpoint-moved", peer,
         fmt::format("{} is elsewhere now: at {}", peer.host,
                     peer.host_addresses.front().to_string()),
         fmt::format("the name was looked up again; the tunnel goes to {}",
                     peer.endpoint.to_string()),
         mend);
  }
}

void Doctor::look_at_handshake(const PeerFacts& peer, const ProbeFacts& probe) {
  if (peer.endpoint.is_none()) return;
  if (drops("send_failed") > 0) {
    find("send-refused", peer, "this machine does not let handshakes out",
         "the kernel refused to send them: `send_failed' rose",
         "look for a firewall's rule on outgoing UDP: nft list ruleset");
  } else if (probe.sent_bytes == 0) {
    find("handshake-not-sent", peer, "no handshake was begun, though there was something to send",
         "packets were put into the tunnel, and its count of sent bytes stands still",
         fmt::format("look into the daemon's log: LOG_LEVEL=verbose ferruled -f {}",
                     facts_.interface));
  } else if (drops("bad_handshake") > 0) {
    find("wrong-psk", peer, "the two sides have different preshared keys",
         "the peer answers, but its answer cannot be opened: `bad_handshake' rose",
         set_peer(peer, "preshared-key FILE") + ", with the same key on both sides");
  } else if (facts_.counted.contains("cookie_replies")) {
    find("cookie", peer, "the peer is under load and asks for a proof of address",
         "it answers handshakes with cookies: `cookie_replies' rose",
         "wait: the next handshake has the proof. If it stays so, look at the load of the peer");
  } else {
    find("handshake-unanswered", peer,
         fmt::format("handshakes go to {}, and nothing comes back", peer.endpoint.to_string()),
         fmt::format("{} bytes were sent, none received", probe.sent_bytes),
         fmt::format(
             "on the peer: is it running, does it listen at UDP port {}, is that port open in "
             "every firewall on the way, and is this machine's public key known there? "
             "Here: is the peer's public key right?",
             peer.endpoint.port));
  }
}

void Doctor::look_at_traffic(const PeerFacts& peer, const ProbeFacts& probe) {
  if (probe.is_answered) {
    if (probe.largest_bytes == 0 || probe.largest_bytes >= facts_.mtu_bytes) return;
    find(
        "path-mtu", peer,
        fmt::format("packets of more than {} bytes are lost on the way", probe.largest_bytes),
        fmt::format(
            "echo requests of {} bytes are answered by {}, larger ones are not; {}'s MTU is {}",
            probe.largest_bytes, probe.target.to_string(), facts_.interface, facts_.mtu_bytes),
        fmt::format("ip link set {} mtu {}, on both sides", facts_.interface, probe.largest_bytes));
    return;
  }
  if (drops("inner_source") > 0) {
    find("source-not-allowed", peer,
         "packets come out of the tunnel with a source address that is not this peer's",
         "`inner_source' rose: they are not among the allowed IPs of the peer that sent them",
         set_peer(peer, "allowed-ips +ADDRESS") + ", or mend the peer's own address");
    return;
  }
  if (probe.is_guess) return;
  find(
      "no-answer", peer,
      fmt::format("the tunnel works as far as the peer, but {} does not answer",
                  probe.target.to_string()),
      fmt::format("there is a session; {} bytes were sent and {} received, and no echo reply",
                  probe.sent_bytes, probe.received_bytes),
      "on the peer: does it have that address, are this machine's addresses among its allowed IPs, "
      "does its route back go into the tunnel, and may ICMP pass its firewall?");
}

// What strangers, or peers with a wrong configuration, send us: nobody knows which of them.
void Doctor::look_at_counters() {
  if (drops("bad_mac1") > 0) {
    find("wrong-key-there", "somebody calls this machine by another public key",
         fmt::format("handshakes arrive that are for another key: `bad_mac1' rose by {}",
                     drops("bad_mac1")),
         fmt::format("on the peer, set the key that `ferrule show {} public-key' prints",
                     facts_.interface));
  }
  if (drops("unknown_peer") > 0) {
    find(
        "unknown-peer", "somebody calls with a key that is no peer's",
        fmt::format("`unknown_peer' rose by {}", drops("unknown_peer")),
        fmt::format("compare the keys here with what `ferrule show INTERFACE public-key' prints on "
                    "the peer, then: ferrule set {} peer KEY allowed-ips ADDRESSES",
                    facts_.interface));
  }
  if (drops("replayed_initiation") > 0) {
    find(
        "clock", "a peer's clock has gone back: its handshakes look like old ones",
        fmt::format("handshakes have earlier timestamps than before: `replayed_initiation' rose by "
                    "{}",
                    drops("replayed_initiation")),
        "set the peer's clock; or remove the peer here and add it again, which forgets its past");
  }
}

void Doctor::look_at_firewall() {
  for (const FirewallRule& rule : facts_.firewall) {
    find("firewall", "the packet filter of this machine may drop what belongs to the tunnel",
         fmt::format("table {}, chain {}: {}", rule.table, rule.chain, rule.text),
         fmt::format("nft -a list chain {} {}, then nft delete rule {} {} handle NUMBER",
                     rule.table, rule.chain, rule.table, rule.chain));
  }
}

}  // namespace

std::vector<Diagnosis> diagnose(const DoctorFacts& facts) { return Doctor(facts).diagnose(); }

}  // namespace ferrule::diagnosis
