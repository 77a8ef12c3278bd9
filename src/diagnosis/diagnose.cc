#include "diagnosis/diagnose.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "diagnosis/findings.h"
#include "quick/bind.h"

namespace ferrule::diagnosis {

namespace {

constexpr std::size_t kNamedOfAKind = 3;

void look_at_absence(Findings& findings) {
  const DoctorFacts& facts = findings.facts();
  const std::string& name = facts.interface;
  if (!facts.is_there) {
    findings.add(Severity::error, "no-interface", fmt::format("there is no interface {}", name),
                 "the kernel knows none of this name", fmt::format("ferrule up {}", name));
  } else if (!facts.daemon_problem.empty()) {
    findings.add(Severity::error, "no-daemon",
                 fmt::format("nobody runs {}: the interface is there, its daemon is not", name),
                 fmt::format("its configuration socket does not answer: {}", facts.daemon_problem),
                 facts.is_tunnel
                     ? fmt::format("ip link del {0}; ferrule up {0}", name)
                     : fmt::format("{} is no tunnel, and somebody else's: give the tunnel "
                                   "another name",
                                   name));
  } else if (!facts.is_up) {
    findings.add(Severity::error, "interface-down",
                 fmt::format("{} is down: nothing is sent or received", name), "the kernel says so",
                 fmt::format("ip link set {0} up, and what went with that: its addresses and "
                             "routes; or ferrule down {0}; ferrule up {0}",
                             name));
  } else if (!facts.has_private_key) {
    findings.add(Severity::error, "no-private-key",
                 fmt::format("{} has no private key: it can make no handshake", name),
                 "the daemon says so", fmt::format("ferrule set {} private-key FILE", name));
  } else if (facts.peers.empty() && !facts.is_about_one) {
    findings.add(
        Severity::error, "no-peers", fmt::format("{} has no peers", name), "the daemon says so",
        fmt::format("ferrule set {} peer KEY allowed-ips ADDRESSES endpoint HOST:PORT", name));
  }
}

bool is_worth_looking(const DoctorFacts& facts) {
  return facts.is_there && facts.daemon_problem.empty() && facts.is_up && facts.has_private_key;
}

void look_at_socket(Findings& findings) {
  const DoctorFacts& facts = findings.facts();
  if (facts.peers.empty()) return;
  findings.at(Step::port);
  const std::string mend = fmt::format("ferrule set {} listen-port PORT", facts.interface);
  if (!facts.missing.empty()) {
    const bool is_partly = facts.is_port_bound && facts.port_owner.empty();
    findings.add(is_partly ? Severity::warning : Severity::error, "bind-missing",
                 fmt::format("{} is to be bound to {} alone, and of that {} not there: {}",
                             facts.interface, quick::place_text(facts.place),
                             fmt::format("{} {}", fmt::join(facts.missing, ", "),
                                         facts.missing.size() == 1 ? "is" : "are"),
                             is_partly ? "nothing is sent or received there"
                                       : "nothing is sent or received"),
                 "the daemon says so",
                 fmt::format("give the machine what is missing, which the daemon waits for; or "
                             "`# Bind' in the file, or ferrule set {} bind, another address",
                             facts.interface));
    if (!is_partly) return;
  }
  if (!facts.port_owner.empty()) {
    findings.add(Severity::error, "port-taken",
                 fmt::format("UDP port {} belongs to another program: {}", facts.listen_port,
                             facts.port_owner),
                 "the kernel's list of sockets, and who has them open",
                 "end that program, or take another port: " + mend);
  } else if (!facts.is_port_bound) {
    findings.add(
        Severity::error, "port-unbound",
        fmt::format("UDP port {} is not open: nobody can reach this machine", facts.listen_port),
        "it is not in the kernel's list of sockets", mend);
  }
}

void look_at_addresses(Findings& findings) {
  const DoctorFacts& facts = findings.facts();
  findings.at(Step::interface);
  for (const auto& [family, name, example] : {std::tuple(Family::v4, "IPv4", "10.0.0.2/24"),
                                              std::tuple(Family::v6, "IPv6", "fd00::2/64")}) {
    const bool has = std::ranges::any_of(facts.addresses, [&](const io::LinkAddress& own) {
      return own.address.family() == family;
    });
    const bool is_wanted = std::ranges::any_of(facts.peers, [&](const PeerFacts& peer) {
      return std::ranges::any_of(
          peer.routes, [&](const RouteFacts& route) { return route.address.family() == family; });
    });
    if (has || !is_wanted) continue;
    findings.add(Severity::error, "no-address",
                 fmt::format("{} has no {} address, though peers have {} prefixes", facts.interface,
                             name, name),
                 "the kernel's list of addresses",
                 fmt::format("ip address add {} dev {}, with the address that the peer expects",
                             example, facts.interface));
  }
}

// Peers that the file has, and that should not be there.
void look_at_left_out(Findings& findings) {
  const DoctorFacts& facts = findings.facts();
  findings.at(Step::interface);
  const Severity severity = facts.is_about_one ? Severity::warning : Severity::note;
  for (const LeftOutPeer& peer : facts.left_out) {
    if (peer.expired_on.empty()) {
      findings.add(severity, "peer-disabled", peer.name, "this peer is disabled: it can't call",
                   fmt::format("its lines in {} are comments", facts.path),
                   fmt::format("ferrule peer enable {} {}", facts.interface, peer.name));
    } else {
      findings.add(
          severity, "peer-expired", peer.name,
          fmt::format("this peer has expired, on {}: it can't call", peer.expired_on),
          fmt::format("{} says so, and the interface is without it", facts.path),
          "give it another day of expiry in the file, then ferrule reload " + facts.interface);
    }
  }
  for (const PeerFacts& peer : facts.peers) {
    if (!peer.is_expired) continue;
    findings.add(Severity::warning, "peer-expired", peer.name,
                 "the day on which this peer expires has come, and it is still let in",
                 fmt::format("{} has the day, and the interface the peer", facts.path),
                 "ferrule peer expire " + facts.interface);
  }
}

// Many findings of one kind are one about many.
std::vector<Diagnosis> summed_up(std::vector<Diagnosis> found) {
  using Kind = std::pair<std::string_view, Severity>;
  std::map<Kind, std::vector<std::string>> peers;
  for (const Diagnosis& each : found) {
    if (!each.peer.empty()) peers[{each.name, each.severity}].push_back(each.peer);
  }
  std::vector<Diagnosis> all;
  for (Diagnosis& each : found) {
    auto& names = peers[{each.name, each.severity}];
    if (each.peer.empty() || names.size() <= kMostOfAKind) {
      all.push_back(std::move(each));
      continue;
    }
    if (names.front().empty()) continue;  // has been said
    std::string some = names[0];
    for (std::size_t i = 1; i < kNamedOfAKind; ++i) some += ", " + names[i];
    each.what = fmt::format("{} peers ({}, ...): {}", names.size(), some, each.what);
    each.peer.clear();
    names.front().clear();
    all.push_back(std::move(each));
  }
  return all;
}

}  // namespace

std::vector<Diagnosis> diagnose(const DoctorFacts& facts) {
  Findings findings(facts);
  look_at_absence(findings);
  if (is_worth_looking(facts)) {
    look_at_socket(findings);
    look_at_addresses(findings);
    look_at_left_out(findings);
    for (const PeerFacts& peer : facts.peers) {
      look_at_routes(peer, findings);
      look_at_endpoint(peer, findings);
      look_at_data(peer, findings);
      look_at_size(peer, findings);
    }
    look_at_own_handshakes(findings);
    look_at_counters(findings);
    look_at_firewall(findings);
    look_at_resolvers(findings);
  }
  std::vector<Diagnosis> found = summed_up(std::move(findings).take());
  std::ranges::stable_sort(found, {}, [](const Diagnosis& diagnosis) {
    return std::pair(diagnosis.severity, diagnosis.name != "send-refused");
  });
  return found;
}

}  // namespace ferrule::diagnosis
