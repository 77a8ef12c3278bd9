// What is wrong on the way to one peer, and back.
#include <fmt/format.h>

#include <algorithm>

#include "diagnosis/findings.h"

namespace ferrule::diagnosis {

namespace {

constexpr std::uint32_t kLeastMtuV6 = 1280;

bool is_loop(const PeerFacts& peer, const DoctorFacts& facts) {
  return !peer.endpoint.is_none() && peer.endpoint_route.interface == facts.interface;
}

std::string age_text(std::int64_t age_s) {
  if (age_s < 120) return fmt::format("{} s", age_s);
  if (age_s < 7200) return fmt::format("{} minutes", age_s / 60);
  return age_s < 172800 ? fmt::format("{} hours", age_s / 3600)
                        : fmt::format("{} days", age_s / 86400);
}

// Routes of all traffic come with rules and a mark, without which they lead the tunnel into itself.
std::string mend_route(const RouteFacts& route, const DoctorFacts& facts) {
  if (route.to.length() <= 1)
    return fmt::format("ferrule down {0}; ferrule up {0}", facts.interface);
  return fmt::format("ip route add {} dev {}", route.to.to_string(), facts.interface);
}

void look_at_name(const PeerFacts& peer, Findings& findings) {
  if (peer.host.empty() || !peer.host_addresses) return;
  const auto& addresses = *peer.host_addresses;
  const std::string mend =
      findings.set_peer(peer, fmt::format("endpoint {}:{}", peer.host, peer.service));
  if (addresses.empty()) {
    findings.add(Severity::error, "endpoint-unresolved", peer.name,
                 fmt::format("{} has no address", peer.host),
                 "its name was looked up, as the file has it",
                 "check the name, and this machine's DNS");
  } else if (!peer.endpoint.is_none() &&
             std::ranges::find(addresses, peer.endpoint.address) == addresses.end()) {
    findings.add(
        Severity::error, "endpoint-moved", peer.name,
        fmt::format("{} is elsewhere now: at {}", peer.host, addresses.front().to_string()),
        fmt::format("the name was looked up again; the tunnel goes to {}",
                    peer.endpoint.to_string()),
        mend);
  }
}

bool look_at_sending(const PeerFacts& peer, const ProbeFacts& probe, Findings& findings) {
  if (findings.drops("send_failed") > 0) {
    findings.add(Severity::error, "send-refused", peer.name,
                 "this machine does not let the tunnel's datagrams out",
                 fmt::format("the kernel refused to send them: `send_failed' rose by {}",
                             findings.drops("send_failed")),
                 "look for a firewall's rule on outgoing UDP: nft list ruleset");
    return false;
  }
  if (findings.drops("endpoint_loop") > 0) {
    findings.add(Severity::error, "endpoint-loop", peer.name,
                 "the tunnel's own messages go into the tunnel, or a peer is reached by way of "
                 "itself through another",
                 fmt::format("`endpoint_loop' rose by {}", findings.drops("endpoint_loop")),
                 "give the endpoint a route outside of all tunnels: ip route add ENDPOINT via "
                 "GATEWAY dev INTERFACE");
    return false;
  }
  if (probe.sent_bytes > 0) return true;
  findings.add(
      Severity::error, "handshake-not-sent", peer.name,
      "nothing is sent to this peer, though there was something to send",
      "packets were put into the tunnel, and its count of sent bytes did not rise by them",
      fmt::format("look for a firewall's rule on outgoing UDP: nft list ruleset; then into the "
                  "daemon's log: LOG_LEVEL=verbose ferruled -f {}",
                  findings.facts().interface));
  return false;
}

void look_at_silence(const PeerFacts& peer, const ProbeFacts& probe, Findings& findings) {
  const std::string session =
      probe.had_session && peer.handshake_age_s
          ? fmt::format(", though there was a session {} ago", age_text(*peer.handshake_age_s))
          : "";
  const std::string mend = fmt::format(
      "on the peer: is it running, does it listen at UDP port {}, is that port open in "
      "every firewall on the way, and is this machine's public key known there? Here: is the "
      "peer's "
      "public key right, and this machine's clock (a peer ignores handshakes that are older than "
      "those it has seen)?",
      peer.endpoint.port);
  if (probe.received_bytes > 0) {
    findings.add(Severity::error, "handshake-one-way", peer.name,
                 "the peer's handshakes come here, and none is completed: ours get no answer",
                 fmt::format("{} bytes were sent and {} received, and there is no new session{}",
                             probe.sent_bytes, probe.received_bytes, session),
                 "compare the preshared keys, and this machine's clock with the peer's (it ignores "
                 "handshakes that are older than those it has seen); and does what this machine "
                 "sends get through the firewalls on the way?");
    return;
  }
  findings.add(
      Severity::error, "handshake-unanswered", peer.name,
      fmt::format("handshakes go to {}, and nothing comes back", peer.endpoint.to_string()),
      fmt::format("{} bytes were sent, none received{}", probe.sent_bytes, session), mend);
}

void look_at_handshake(const PeerFacts& peer, const ProbeFacts& probe, Findings& findings) {
  if (peer.endpoint.is_none()) return;
  look_at_name(peer, findings);
  if (!look_at_sending(peer, probe, findings)) return;
  if (findings.drops("bad_handshake") > 0) {
    findings.add(
        Severity::error, "wrong-psk", peer.name, "the two sides have different preshared keys",
        "the peer answers, but its answer cannot be opened: `bad_handshake' rose",
        findings.set_peer(peer, "preshared-key FILE") + ", with the same key on both sides");
  } else if (findings.facts().counted.contains("cookie_replies")) {
    findings.add(Severity::error, "cookie", peer.name,
                 "the peer is under load and asks for a proof of address",
                 "it answers handshakes with cookies: `cookie_replies' rose",
                 "wait: the next handshake has the proof. If it stays so, look at the load of the "
                 "peer");
  } else {
    look_at_silence(peer, probe, findings);
  }
}

// There is a session, and none of our packets was answered.
void look_at_traffic(const PeerFacts& peer, const ProbeFacts& probe, Findings& findings) {
  if (!look_at_sending(peer, probe, findings)) return;
  if (findings.drops("inner_source") > 0) {
    findings.add(
        Severity::error, "source-not-allowed", peer.name,
        "packets come out of the tunnel with a source address that is not this peer's",
        "`inner_source' rose: they are not among the allowed IPs of the peer that sent "
        "them",
        findings.set_peer(peer, "allowed-ips +ADDRESS") + ", or mend the peer's own address");
    return;
  }
  const std::string target = probe.target.to_string();
  if (probe.has_data) {
    findings.add(Severity::note, "no-answer", peer.name,
                 fmt::format("data comes from this peer, but {} answers no echo request", target),
                 fmt::format("{} bytes were received meanwhile", probe.received_bytes),
                 "nothing, if it is not meant to: a firewall there may keep ICMP out");
    return;
  }
  const bool is_guess = probe.is_guess;
  findings.add(
      is_guess ? Severity::warning : Severity::error, "no-answer", peer.name,
      is_guess ? std::string("there is a session, but no data comes back by it")
               : fmt::format("there is a session, but {} does not answer", target),
      fmt::format("{} bytes were sent and {} received, which is handshakes and keepalives; echo "
                  "requests to {}{} were not answered",
                  probe.sent_bytes, probe.received_bytes, target,
                  is_guess ? " and others of its prefixes" : ""),
      "on the peer: are this machine's addresses among its allowed IPs there, does it have that "
      "address, does it forward (sysctl net.ipv4.ip_forward), does its route back go into the "
      "tunnel, and may ICMP pass its firewall?");
}

void look_at_idle(const PeerFacts& peer, Findings& findings) {
  if (!peer.is_caller || peer.endpoint.is_none() || is_loop(peer, findings.facts())) return;
  findings.add(Severity::note, "idle", peer.name,
               peer.handshake_age_s
                   ? fmt::format("not heard from for {}", age_text(*peer.handshake_age_s))
                   : "not heard from yet",
               "it is to call this machine, and has no young session",
               fmt::format("nothing, if it is switched off; else: ferrule doctor {} {}",
                           findings.facts().interface, peer.name));
}

}  // namespace

void look_at_routes(const PeerFacts& peer, Findings& findings) {
  findings.at(Step::routes);
  if (peer.routes.empty()) {
    findings.add(Severity::error, "no-allowed-ips", peer.name,
                 "no address belongs to this peer: nothing is sent to it",
                 "its allowed IPs are empty", findings.set_peer(peer, "allowed-ips ADDRESSES"));
  }
  for (const RouteFacts& route : peer.routes) {
    if (route.interface == findings.facts().interface) continue;
    const bool is_missing = route.interface.empty();
    const std::string where = is_missing ? fmt::format("go nowhere ({})", route.problem)
                                         : fmt::format("leave by {}", route.interface);
    findings.add(Severity::error, is_missing ? "route-missing" : "route-elsewhere", peer.name,
                 fmt::format("packets to {} do not go into the tunnel", route.to.to_string()),
                 fmt::format("those to {} {}, says the kernel", route.address.to_string(), where),
                 is_missing ? mend_route(route, findings.facts())
                            : fmt::format("if the tunnel shall have them: {}; if {} shall keep "
                                          "them, take them out of the allowed IPs",
                                          mend_route(route, findings.facts()), route.interface));
  }
}

void look_at_endpoint(const PeerFacts& peer, Findings& findings) {
  findings.at(Step::endpoints);
  const DoctorFacts& facts = findings.facts();
  if (peer.endpoint.is_none()) {
    findings.add(
        facts.is_server ? Severity::note : Severity::error, "no-endpoint", peer.name,
        facts.is_server ? "has not called yet, and nobody knows where it is"
                        : "nobody knows where this peer is: it must call first",
        "it has no endpoint, and has not been heard from",
        findings.set_peer(peer, "endpoint HOST:PORT") + ", or start the tunnel on the peer's side");
    return;
  }
  const RouteFacts& route = peer.endpoint_route;
  const bool is_talking = peer.probe && peer.probe->has_session;
  if (is_loop(peer, facts)) {
    findings.add(
        Severity::error, "endpoint-loop", peer.name,
        "the tunnel's own messages to this peer go into the tunnel",
        fmt::format("the route to its endpoint {} leaves by {}", peer.endpoint.to_string(),
                    facts.interface),
        fmt::format("ip route add {} via GATEWAY dev INTERFACE, as it was without the "
                    "tunnel",
                    Cidr(peer.endpoint.address, peer.endpoint.address.bits()).to_string()));
  } else if (route.interface.empty() && !is_talking) {
    findings.add(Severity::error, "endpoint-unreachable", peer.name,
                 fmt::format("there is no way to its endpoint {}", peer.endpoint.to_string()),
                 fmt::format("the kernel says: {}", route.problem),
                 "connect this machine to that network, or give it a default route");
  }
}

void look_at_data(const PeerFacts& peer, Findings& findings) {
  findings.at(Step::data);
  if (!peer.probe) return look_at_idle(peer, findings);
  const ProbeFacts& probe = *peer.probe;
  if (probe.is_answered) {
    if (probe.is_passed_on == false) {
      findings.add(Severity::error, "not-forwarded", peer.name,
                   "the peer answers, but passes on nothing: all traffic is sent to it, and ends "
                   "there",
                   "a packet for an address beyond it, with one hop left, stays unanswered, where "
                   "a machine that forwards says that the hops are used up",
                   "on the peer: sysctl -w net.ipv4.ip_forward=1 "
                   "net.ipv6.conf.all.forwarding=1, a rule that masquerades, and none that drops "
                   "what is forwarded");
    }
    return;
  }
  if (probe.has_session || probe.has_data) {
    look_at_traffic(peer, probe, findings);
  } else {
    look_at_handshake(peer, probe, findings);
  }
}

void look_at_size(const PeerFacts& peer, Findings& findings) {
  findings.at(Step::size);
  if (!peer.probe || !peer.probe->is_answered) return;
  const ProbeFacts& probe = *peer.probe;
  const DoctorFacts& facts = findings.facts();
  if (probe.echoes > 0 && probe.lost * 2 > probe.echoes) {
    findings.add(Severity::warning, "loss", peer.name, "packets are lost on the way",
                 fmt::format("{} of {} echo requests to {} were not answered", probe.lost,
                             probe.echoes, probe.target.to_string()),
                 "look for a way that is overloaded, or a firewall that limits ICMP");
  }
  if (probe.largest_bytes == 0 || probe.largest_bytes >= facts.mtu_bytes) return;
  const bool has_v6 = std::ranges::any_of(facts.addresses, [](const io::LinkAddress& own) {
    return own.address.family() == Family::v6;
  });
  std::string mend =
      fmt::format("ip link set {} mtu {}, on both sides", facts.interface, probe.largest_bytes);
  if (has_v6 && probe.largest_bytes < kLeastMtuV6) {
    mend = fmt::format(
        "find what narrows the way, and widen it: the tunnel has IPv6, which needs packets of {} "
        "bytes, and a smaller MTU of {} would take that away. A tunnel with IPv4 alone can do with "
        "{}",
        kLeastMtuV6, facts.interface, probe.largest_bytes);
  }
  findings.add(
      Severity::error, "path-mtu", peer.name,
      fmt::format("packets of more than {} bytes are lost on the way", probe.largest_bytes),
      fmt::format(
          "echo requests of {} bytes are answered by {}, larger ones are not; {}'s MTU is {}",
          probe.largest_bytes, probe.target.to_string(), facts.interface, facts.mtu_bytes),
      std::move(mend));
}

}  // namespace ferrule::diagnosis
