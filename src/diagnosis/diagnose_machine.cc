// What is wrong with this machine, or with what strangers send to it.
#include <fmt/format.h>

#include <algorithm>

#include "diagnosis/findings.h"

namespace ferrule::diagnosis {

namespace {

constexpr std::uint64_t kSuspectTries = 2;  // of handshakes; one may have been lost

// What a counter tells: meanwhile, or, on a server, since the daemon runs.
struct Count {
  std::uint64_t count = 0;
  bool is_old = false;
  [[nodiscard]] std::string text(std::string_view name) const {
    return is_old ? fmt::format("`{}' is at {} since the daemon runs", name, count)
                  : fmt::format("`{}' rose by {}", name, count);
  }
  [[nodiscard]] Severity severity() const { return is_old ? Severity::note : Severity::error; }
};

Count count_of(std::string_view name, const Findings& findings) {
  if (const std::uint64_t now = findings.drops(name); now > 0) return {now, false};
  if (!findings.facts().is_server) return {};
  const auto total = findings.facts().totals.find("drop_" + std::string(name));
  return total == findings.facts().totals.end() ? Count{} : Count{total->second, true};
}

// A command that lets packets in, or does away with a rule.
std::string mend_of(const StoppedPackets& stopped, const DoctorFacts& facts) {
  const FirewallRule& rule = stopped.rule;
  const bool is_policy = rule.handle == 0;
  const bool is_inner = stopped.is_forwarded || stopped.which.starts_with("what");
  if (const std::size_t end = rule.table.find("-legacy "); end != rule.table.npos) {
    const std::string program = rule.table.substr(0, end) + "-legacy";
    const std::string table = rule.table.substr(program.size() + 1);
    const std::string wanted =
        is_inner ? "-i " + facts.interface : fmt::format("-p udp --dport {}", facts.listen_port);
    return is_policy ? fmt::format("let it in: {} -t {} -I {} {} -j ACCEPT", program, table,
                                   rule.chain, wanted)
                     : fmt::format("if nobody needs that rule: {} -t {} -D {} {}", program, table,
                                   rule.chain, rule.handle);
  }
  const std::string wanted =
      is_inner ? "iifname " + facts.interface : fmt::format("udp dport {}", facts.listen_port);
  return is_policy ? fmt::format("let it in: nft add rule {} {} {} accept", rule.table, rule.chain,
                                 wanted)
                   : fmt::format("if nobody needs that rule: nft delete rule {} {} handle {}",
                                 rule.table, rule.chain, rule.handle);
}

void add_rule(const StoppedPackets& stopped, Severity severity, Findings& findings) {
  const FirewallRule& rule = stopped.rule;
  const std::string_view verb = rule.is_certain ? "drops" : "may drop";
  findings.add(severity, "firewall",
               fmt::format("the packet filter of this machine {} {}", verb, stopped.which),
               fmt::format("table {}, chain {}: {}", rule.table, rule.chain, rule.text),
               mend_of(stopped, findings.facts()));
}

void look_at_rules(Findings& findings) {
  const DoctorFacts& facts = findings.facts();
  const bool is_cut_off = findings.is_cut_off();
  const bool is_untried = std::ranges::none_of(
      facts.peers, [](const PeerFacts& peer) { return peer.probe.has_value(); });
  for (const StoppedPackets& stopped : facts.stopped) {
    if (stopped.is_forwarded) {
      if (stopped.rule.is_certain) add_rule(stopped, Severity::note, findings);
    } else if (is_cut_off) {
      add_rule(stopped, stopped.rule.is_certain ? Severity::error : Severity::warning, findings);
    } else if (is_untried && stopped.rule.is_certain) {
      add_rule(stopped, Severity::warning, findings);
    }
  }
}

}  // namespace

// Peers may have sessions that they began themselves, and answer nothing that this side begins. The daemon
// counts for all of them together, so that it takes all that were tried to be well.
void look_at_own_handshakes(Findings& findings) {
  const DoctorFacts& facts = findings.facts();
  const auto is_tried = [](const PeerFacts& peer) { return peer.probe.has_value(); };
  const auto tried = std::ranges::count_if(facts.peers, is_tried);
  if (tried == 0 || findings.is_cut_off()) return;
  findings.at(Step::data);
  const auto count = [](const auto& counts, const char* name) {
    const auto found = counts.find(name);
    return found == counts.end() ? 0 : found->second;
  };
  const std::uint64_t sent = count(facts.counted, "initiations_sent");
  const std::uint64_t answered = count(facts.counted, "initiations_answered");
  const std::uint64_t all = count(facts.totals, "initiations_sent") + sent;
  // What went to where a peer no longer is has no answer.
  const bool has_moved = std::ranges::any_of(
      facts.peers, [](const PeerFacts& peer) { return peer.probe && peer.probe->has_moved; });
  const bool has_failed_now = sent > 0 && answered == 0 && !has_moved;
  const bool has_ever_failed = facts.peers.size() == 1 && all >= kSuspectTries && answered == 0 &&
                               count(facts.totals, "initiations_answered") == 0;
  if (!has_failed_now && !has_ever_failed) return;
  const PeerFacts& peer = *std::ranges::find_if(facts.peers, is_tried);
  findings.add(
      has_failed_now ? Severity::error : Severity::warning, "handshake-ignored",
      tried == 1 ? peer.name : std::string(),
      "none of the handshakes that this machine begins is answered: there is a session only as "
      "long as the peer calls by itself",
      has_failed_now
          ? fmt::format("{} went out meanwhile and none was answered, while data came and went by "
                        "a session that the peer began",
                        sent)
          : fmt::format("{} went out since the daemon runs, and none was ever answered", all),
      "set this machine's clock (a peer ignores handshakes that are older than those it has seen); "
      "if it is right now and was ahead once, remove this machine there as a peer and add it "
      "again, which forgets that; or does a firewall there let in only answers?");
}

// What strangers, or peers with a wrong configuration, send us: nobody knows which of them.
void look_at_counters(Findings& findings) {
  findings.at(Step::data);
  const std::string& interface = findings.facts().interface;
  if (const Count count = count_of("bad_mac1", findings); count.count > 0) {
    findings.add(count.severity(), "wrong-key-there",
                 "somebody calls this machine by another public key",
                 "handshakes arrive that are for another key: " + count.text("bad_mac1"),
                 fmt::format("on the peer, set the key that `ferrule show {} public-key' prints",
                             interface));
  }
  if (const Count count = count_of("unknown_peer", findings); count.count > 0) {
    findings.add(count.severity(), "unknown-peer", "somebody calls with a key that is no peer's",
                 count.text("unknown_peer"),
                 fmt::format("compare the keys here with what `ferrule show INTERFACE public-key' "
                             "prints on the peer, then: ferrule set {} peer KEY allowed-ips "
                             "ADDRESSES",
                             interface));
  }
  if (const Count count = count_of("replayed_initiation", findings); count.count > 0) {
    findings.add(
        count.severity(), "clock",
        "a peer's clock has gone back: its handshakes look like old ones",
        "handshakes have earlier timestamps than before: " + count.text("replayed_initiation"),
        "set the peer's clock; or remove the peer here and add it again, which forgets "
        "its past");
  }
}

void look_at_firewall(Findings& findings) {
  findings.at(Step::filter);
  const DoctorFacts& facts = findings.facts();
  look_at_rules(findings);
  const bool is_cut_off = findings.is_cut_off();
  if (is_cut_off && !facts.unread_tables.empty()) {
    findings.add(
        Severity::note, "old-iptables",
        "rules of the old iptables interface are here too, which the kernel did not give out",
        fmt::format("tables: {}", fmt::join(facts.unread_tables, ", ")),
        "look there: iptables-legacy-save, ip6tables-legacy-save");
  }
  if (facts.is_forwarding_missed) {
    findings.add(Severity::warning, "forwarding-off",
                 "this machine forwards nothing: peers reach it, and nothing beyond",
                 "a rule masquerades what is forwarded, and net.ipv4.ip_forward is 0",
                 "sysctl -w net.ipv4.ip_forward=1");
  }
  for (const std::string& name : facts.strict_interfaces) {
    findings.add(
        is_cut_off ? Severity::error : Severity::warning, "rp-filter",
        fmt::format("answers to the tunnel's datagrams are dropped where they come in, at {}",
                    name),
        fmt::format("its reverse path filter is strict (rp_filter = 1), all traffic goes "
                    "into the tunnel but what is marked, and src_valid_mark is 0"),
        "sysctl -w net.ipv4.conf.all.src_valid_mark=1");
  }
}

void look_at_resolvers(Findings& findings) {
  findings.at(Step::resolvers);
  const DoctorFacts& facts = findings.facts();
  if (!facts.resolvers) return;
  const ResolverFacts& resolvers = *facts.resolvers;
  bool has_wanted = false;
  for (const Resolver& server : resolvers.servers) {
    has_wanted =
        has_wanted || std::ranges::find(resolvers.wanted, server.address) != resolvers.wanted.end();
    if (!facts.is_full_tunnel || server.interface.empty()) continue;
    const std::string address = server.address.to_string();
    if (server.is_here) {
      findings.add(Severity::note, "dns-local",
                   fmt::format("names are asked of a program on this machine, at {}", address),
                   fmt::format("{} names it; whom it asks in turn can't be seen", resolvers.path),
                   "look into that program's settings whether it asks through the tunnel");
    } else if (server.interface != facts.interface) {
      findings.add(Severity::error, "dns-leak",
                   fmt::format("all traffic goes through the tunnel, and questions for names do "
                               "not: they go to {}, by {}",
                               address, server.interface),
                   fmt::format("{} names that server, and its route leaves by {}", resolvers.path,
                               server.interface),
                   fmt::format("name a server behind the tunnel: DNS = ADDRESS in {}, then ferrule "
                               "reload {}",
                               facts.path, facts.interface));
    }
  }
  if (resolvers.wanted.empty() || has_wanted || resolvers.servers.empty()) return;
  findings.add(Severity::warning, "dns-not-set",
               fmt::format("the file wants names asked of {}, and this machine asks {}",
                           resolvers.wanted.front().to_string(),
                           resolvers.servers.front().address.to_string()),
               fmt::format("{}, and {}", facts.path, resolvers.path),
               fmt::format("ferrule down {0}; ferrule up {0}, and see what it says of DNS",
                           facts.interface));
}

}  // namespace ferrule::diagnosis
