#include "diagnosis/packet_filter.h"

#include <algorithm>
#include <utility>

#include "diagnosis/old_iptables.h"
#include "quick/nftables.h"

namespace ferrule::diagnosis {

namespace {

using Json = nlohmann::json;

constexpr unsigned kMaxJumps = 16;          // the kernel's own limit on chains within chains
constexpr std::size_t kMaxSteps = 100'000;  // rules that are looked at for one packet
constexpr std::string_view kLeakProtection = "wg-quick-";

bool is_for(const std::string& table_family, Family family) {
  if (table_family == "inet") return true;
  return table_family == (family == Family::v4 ? "ip" : "ip6");
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

std::string_view name_of(Hook hook) noexcept {
  switch (hook) {
    case Hook::prerouting:
      return "prerouting";
    case Hook::input:
      return "input";
    case Hook::forward:
      return "forward";
    case Hook::output:
      return "output";
    case Hook::postrouting:
      return "postrouting";
  }
  return "";
}

void PacketFilter::take(const Json& object) {
  const bool is_rule = object.contains("rule");
  if (!is_rule && !object.contains("chain")) return;
  const Json& what = object[is_rule ? "rule" : "chain"];
  const std::string family = text_in(what, "family");
  const std::string table = text_in(what, "table");
  if (table.starts_with(kLeakProtection)) return;
  FilterChain& chain = chains_[{family + ' ' + table, text_in(what, is_rule ? "chain" : "name")}];
  if (is_rule) {
    FilterRule& rule = chain.rules.emplace_back();
    rule.handle = number_in(what, "handle");
    rule.expressions = what.value("expr", Json::array());
    for (const Json& part : rule.expressions) {
      if (part.is_object() && part.contains("masquerade")) has_masquerade_ = true;
    }
    return;
  }
  chain.family = family;
  chain.table = family + ' ' + table;
  chain.name = text_in(what, "name");
  if (text_in(what, "type") == "nat") return;
  chain.hook = text_in(what, "hook");
  if (const auto priority = what.find("prio"); priority != what.end() && priority->is_number()) {
    chain.priority = priority->get<int>();
  }
  chain.drops_by_default = text_in(what, "policy") == "drop";
}

void PacketFilter::add(FilterChain chain) {
  for (const FilterRule& rule : chain.rules) {
    for (const Json& part : rule.expressions) {
      if (part.contains("masquerade")) has_masquerade_ = true;
    }
  }
  const std::pair name(chain.table, chain.name);
  chains_.insert_or_assign(name, std::move(chain));
}

PacketFilter PacketFilter::parse(std::string_view ruleset) {
  PacketFilter filter;
  const Json json = Json::parse(ruleset, nullptr, false);
  if (!json.is_object() || !json.contains("nftables")) return filter;
  for (const Json& object : json["nftables"]) {
    if (object.is_object()) filter.take(object);
  }
  return filter;
}

namespace {

// A packet's way through the chains of one hook.
class FilterWalk {
 public:
  FilterWalk(const PacketFilter& filter, const FilterPacket& packet)
      : filter_(filter), packet_(packet) {}

  std::optional<FirewallRule> run() {
    std::vector<const FilterChain*> chains;
    for (const auto& [name, chain] : filter_.chains()) {
      if (chain.hook == name_of(packet_.hook) && is_for(chain.family, packet_.family)) {
        chains.push_back(&chain);
      }
    }
    std::ranges::stable_sort(chains, {}, &FilterChain::priority);
    for (const auto* chain : chains) {
      is_sure_ = true;
      if (walk(*chain, 0) != Outcome::none || !chain->drops_by_default) continue;
      stop({chain->table, chain->name, "policy drop, and no rule accepts it", 0, is_sure_});
    }
    return found_;
  }

 private:
  enum class Outcome : std::uint8_t { none, accepted, dropped };

  void stop(FirewallRule rule) {
    if (!found_ || (rule.is_certain && !found_->is_certain)) found_ = std::move(rule);
  }

  Outcome walk(const FilterChain& chain, unsigned depth) {
    if (depth > kMaxJumps) return Outcome::none;
    for (const FilterRule& rule : chain.rules) {
      if (++steps_ > kMaxSteps) {
        is_sure_ = false;
        return Outcome::none;
      }
      bool is_over = false;
      const Outcome outcome = apply(chain, rule, depth, is_over);
      if (outcome != Outcome::none || is_over) return outcome;
    }
    return Outcome::none;
  }

  // `is_over`: nothing more of this chain counts.
  Outcome apply(const FilterChain& chain, const FilterRule& rule, unsigned depth, bool& is_over) {
    Match match = Match::yes;
    for (const Json& part : rule.expressions) {
      if (!part.is_object() || part.empty()) continue;
      const auto first = part.begin();
      const std::string kind = first.key();
      const Json& what = first.value();
      if (kind == "match") {
        match = std::min(match, match_of(what, packet_));
        if (match == Match::no) return Outcome::none;
      } else if (kind == "vmap") {
        return apply_map(what, chain, rule, depth, match, is_over);
      } else if (kind == "limit" || kind == "xt" || kind == "connlimit" || kind == "quota") {
        match = Match::maybe;
      } else if (const Outcome outcome = decide(kind, what, chain, rule, depth, match, is_over);
                 outcome != Outcome::none || is_over) {
        return outcome;
      }
    }
    return Outcome::none;
  }

  Outcome apply_map(const Json& map, const FilterChain& chain, const FilterRule& rule,
                    unsigned depth, Match match, bool& is_over) {
    const Json data = map.value("data", Json());
    const bool is_listed = data.is_object() && data.contains("set") && data["set"].is_array();
    if (!is_listed) {
      is_sure_ = false;
      return Outcome::none;
    }
    for (const Json& pair : data["set"]) {
      if (!pair.is_array() || pair.size() != 2 || !pair[1].is_object() || pair[1].empty()) continue;
      const Match here = std::min(match, compare(map.value("key", Json()), pair[0], packet_));
      if (here == Match::no) continue;
      const auto first = pair[1].begin();
      const std::string kind = first.key();
      const Json& what = first.value();
      const Outcome outcome = decide(kind, what, chain, rule, depth, here, is_over);
      if (outcome != Outcome::none || is_over) return outcome;
    }
    return Outcome::none;
  }

  Outcome decide(const std::string& kind, const Json& what, const FilterChain& chain,
                 const FilterRule& rule, unsigned depth, Match match, bool& is_over) {
    const bool is_met = match == Match::yes;
    if (kind == "drop" || kind == "reject") {
      stop({chain.table, chain.name, rule_text(rule.expressions), rule.handle, is_met && is_sure_});
      return is_met ? Outcome::dropped : Outcome::none;
    }
    if (kind == "accept" || kind == "queue" || kind == "return") {
      if (!is_met) {
        is_sure_ = false;
      } else if (kind == "return") {
        is_over = true;
      }
      return is_met && kind != "return" ? Outcome::accepted : Outcome::none;
    }
    if (kind != "jump" && kind != "goto") return Outcome::none;
    const auto target = filter_.chains().find({chain.table, text_in(what, "target")});
    if (target == filter_.chains().end()) return Outcome::none;
    return enter(target->second, kind == "goto", depth, is_met, is_over);
  }

  Outcome enter(const FilterChain& target, bool is_goto, unsigned depth, bool is_met,
                bool& is_over) {
    if (!is_met) {
      // Whatever it says, it may not have been asked.
      const bool was_sure = std::exchange(is_sure_, false);
      const Outcome outcome = walk(target, depth + 1);
      is_sure_ = was_sure && outcome == Outcome::none && !is_goto;
      return Outcome::none;
    }
    const Outcome outcome = walk(target, depth + 1);
    if (outcome == Outcome::none && is_goto) is_over = true;
    return outcome;
  }

  const PacketFilter& filter_;
  const FilterPacket& packet_;
  bool is_sure_ = true;  // that the packet comes to where we are
  std::size_t steps_ = 0;
  std::optional<FirewallRule> found_;
};

}  // namespace

std::optional<FirewallRule> PacketFilter::stopper_of(const FilterPacket& packet) const {
  return FilterWalk(*this, packet).run();
}

MachineFilter read_packet_filter() {
  MachineFilter filter;
  if (const auto ruleset = quick::list_nft_ruleset()) filter.rules = PacketFilter::parse(*ruleset);
  for (const Family family : {Family::v4, Family::v6}) {
    OldTables old = read_old_tables(family);
    for (const OldTable& table : old.tables) {
      for (FilterChain& chain : chains_of(family, table)) filter.rules.add(std::move(chain));
    }
    for (std::string& name : old.unread) {
      if (std::ranges::find(filter.unread, name) == filter.unread.end()) {
        filter.unread.push_back(std::move(name));
      }
    }
  }
  return filter;
}

}  // namespace ferrule::diagnosis
