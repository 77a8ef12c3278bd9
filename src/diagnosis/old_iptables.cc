#include "diagnosis/old_iptables.h"

// First: they define what <net/if.h> does too.
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <span>

#include "diagnosis/old_iptables_match.h"
#include "io/linux/fd.h"

namespace ferrule::diagnosis {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = std::size_t{8} << 20;
constexpr std::array<std::string_view, OldTable::kHooks> kChains{"PREROUTING", "INPUT", "FORWARD",
                                                                 "OUTPUT", "POSTROUTING"};
static_assert(NF_INET_NUMHOOKS == OldTable::kHooks && NF_INET_PRE_ROUTING == 0);

int priority_of(std::string_view table) {
  if (table == "raw") return -300;
  if (table == "mangle") return -150;
  return table == "security" ? 50 : 0;
}

std::string text_in(std::span<const std::uint8_t> bytes) {
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return {text, strnlen(text, bytes.size())};
}

// An entry, and what stands in it.
struct Rule {
  std::uint32_t offset = 0;
  std::uint32_t end = 0;
  Json expressions = Json::array();
  std::string target;  // "": a verdict
  std::int32_t verdict = 0;
  std::string chain;  // whose head it is
  bool is_goto = false;
  bool is_wg_quick = false;
};

template <class Entry>
std::optional<Rule> rule_at(std::span<const std::uint8_t> entries, std::uint32_t offset) {
  if (entries.size() < offset + sizeof(Entry)) return std::nullopt;
  Entry entry;
  std::memcpy(&entry, entries.data() + offset, sizeof entry);
  const std::size_t target = entry.target_offset;
  const std::size_t end = entry.next_offset;
  if (target < sizeof(Entry) || end < target + sizeof(xt_entry_target) ||
      end > entries.size() - offset) {
    return std::nullopt;
  }
  const auto bytes = entries.subspan(offset, end);
  Rule rule;
  rule.offset = offset;
  rule.end = offset + static_cast<std::uint32_t>(end);
  rule.is_goto = add_head_matches(entry, rule.expressions);
  rule.is_wg_quick =
      add_matches(bytes.subspan(sizeof(Entry), target - sizeof(Entry)), rule.expressions);
  xt_entry_target head;
  std::memcpy(&head, bytes.data() + target, sizeof head);
  rule.target.assign(head.u.user.name, strnlen(head.u.user.name, sizeof head.u.user.name));
  const auto data = bytes.subspan(target + sizeof head);
  if (rule.target.empty() && data.size() >= sizeof rule.verdict) {
    std::memcpy(&rule.verdict, data.data(), sizeof rule.verdict);
  }
  if (rule.target == XT_ERROR_TARGET) rule.chain = text_in(data);
  return rule;
}

std::vector<Rule> rules_of(Family family, std::span<const std::uint8_t> entries) {
  std::vector<Rule> rules;
  for (std::uint32_t at = 0; at < entries.size();) {
    auto rule =
        family == Family::v4 ? rule_at<ipt_entry>(entries, at) : rule_at<ip6t_entry>(entries, at);
    if (!rule) return {};
    at = rule->end;
    rules.push_back(std::move(*rule));
  }
  return rules;
}

class TableReader {
 public:
  TableReader(Family family, const OldTable& table)
      : family_(family == Family::v4 ? "ip" : "ip6"),
        table_(std::string(old_program_of(family)) + ' ' + table.name),
        of_(table),
        rules_(rules_of(family, table.entries)) {}

  std::vector<FilterChain> read() {
    name_chains();
    for (const Rule& rule : rules_) {
      if (const auto name = begins_.find(rule.offset); name != begins_.end()) begin(name->second);
      if (rule.chain.empty() && !chains_.empty()) take(rule);
    }
    return std::move(chains_);
  }

 private:
  void name_chains() {
    for (std::size_t hook = 0; hook < kChains.size(); ++hook) {
      if ((of_.hooks >> hook & 1) != 0) begins_[of_.starts[hook]] = kChains[hook];
    }
    for (const Rule& rule : rules_) {
      if (!rule.chain.empty()) begins_[rule.end] = rule.chain;
    }
  }

  void begin(const std::string& name) {
    FilterChain& chain = chains_.emplace_back();
    chain.family = family_;
    chain.table = table_;
    chain.name = name;
    chain.priority = priority_of(of_.name);
    number_ = 0;
    const auto hook = std::ranges::find(kChains, name);
    if (hook == kChains.end() || of_.name == "nat") return;
    chain.hook = name_of(static_cast<Hook>(hook - kChains.begin()));
  }

  [[nodiscard]] bool is_policy(const Rule& rule) const {
    for (std::size_t hook = 0; hook < kChains.size(); ++hook) {
      if ((of_.hooks >> hook & 1) != 0 && of_.policies[hook] == rule.offset) return true;
    }
    return false;
  }

  void take(const Rule& rule) {
    FilterChain& chain = chains_.back();
    if (is_policy(rule)) {
      chain.drops_by_default = !chain.hook.empty() && rule.verdict == -NF_DROP - 1;
      return;
    }
    ++number_;
    if (rule.is_wg_quick) return;
    FilterRule& added = chain.rules.emplace_back(FilterRule{rule.expressions, number_});
    if (Json verdict = verdict_of(rule); !verdict.is_null()) {
      added.expressions.push_back(std::move(verdict));
    }
  }

  [[nodiscard]] Json verdict_of(const Rule& rule) const {
    if (rule.target == "REJECT" || rule.target == "MASQUERADE") {
      return {{rule.target == "REJECT" ? "reject" : "masquerade", nullptr}};
    }
    if (!rule.target.empty()) return nullptr;  // LOG, MARK, ...: the packet goes on
    switch (rule.verdict) {
      case -NF_DROP - 1:
        return {{"drop", nullptr}};
      case -NF_ACCEPT - 1:
        return {{"accept", nullptr}};
      case XT_RETURN:
        return {{"return", nullptr}};
      default:
        break;
    }
    const auto target = begins_.find(static_cast<std::uint32_t>(rule.verdict));
    if (rule.verdict < 0 || target == begins_.end()) return nullptr;
    return {{rule.is_goto ? "goto" : "jump", {{"target", target->second}}}};
  }

  std::string family_;
  std::string table_;
  const OldTable& of_;
  std::vector<Rule> rules_;
  std::map<std::uint32_t, std::string> begins_;
  std::vector<FilterChain> chains_;
  std::uint64_t number_ = 0;
};

// The two families' requests have one shape.
template <class Info, class Entries>
std::optional<OldTable> read_table(int socket, int level, int info_option, int entries_option,
                                   const std::string& name) {
  Info info{};
  name.copy(info.name, sizeof info.name - 1);
  socklen_t size = sizeof info;
  if (getsockopt(socket, level, info_option, &info, &size) != 0) return std::nullopt;
  if (info.size > kMostBytes) return std::nullopt;
  constexpr std::size_t kHead = offsetof(Entries, entrytable);
  std::vector<std::uint8_t> buffer(kHead + info.size);
  name.copy(reinterpret_cast<char*>(buffer.data()), sizeof info.name - 1);
  std::memcpy(buffer.data() + offsetof(Entries, size), &info.size, sizeof info.size);
  size = static_cast<socklen_t>(buffer.size());
  if (getsockopt(socket, level, entries_option, buffer.data(), &size) != 0) return std::nullopt;
  OldTable table;
  table.name = name;
  table.hooks = info.valid_hooks;
  std::ranges::copy(info.hook_entry, table.starts.begin());
  std::ranges::copy(info.underflow, table.policies.begin());
  table.entries.assign(buffer.begin() + kHead, buffer.end());
  return table;
}

}  // namespace

std::string_view old_program_of(Family family) noexcept {
  return family == Family::v4 ? "iptables-legacy" : "ip6tables-legacy";
}

OldTables read_old_tables(Family family) {
  const bool is_v4 = family == Family::v4;
  std::ifstream names(is_v4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names");
  const io::UniqueFd socket(
      ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  OldTables found;
  for (std::string name; std::getline(names, name);) {
    auto table = is_v4
                     ? read_table<ipt_getinfo, ipt_get_entries>(
                           socket.get(), IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES, name)
                     : read_table<ip6t_getinfo, ip6t_get_entries>(
                           socket.get(), IPPROTO_IPV6, IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES, name);
    if (table) {
      found.tables.push_back(std::move(*table));
    } else {
      found.unread.push_back(name);
    }
  }
  return found;
}

std::vector<FilterChain> chains_of(Family family, const OldTable& table) {
  return TableReader(family, table).read();
}

}  // namespace ferrule::diagnosis
