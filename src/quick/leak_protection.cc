#include "quick/leak_protection.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <functional>
#include <string_view>

#include "quick/iptables.h"
#include "quick/nftables.h"

namespace ferrule::quick {

namespace {

constexpr std::array kFilters{PacketFilter::nftables, PacketFilter::iptables_legacy,
                              PacketFilter::iptables};

std::string_view nft_name(Family family) { return family == Family::v4 ? "ip" : "ip6"; }

constexpr std::string_view kWithoutLeakProtection =
    "the tunnel works, but nothing drops packets to its addresses that come from elsewhere";

// "ip wg-quick-wg0": the names that wg-quick gives, so that either can take down the other's.
std::string table_of(const std::string& interface, Family family) {
  return fmt::format("{} wg-quick-{}", nft_name(family), interface);
}

std::string comment_of(const std::string& interface) { return "wg-quick(8) rule for " + interface; }

Iptables kind_of(PacketFilter filter) {
  return filter == PacketFilter::iptables_legacy ? Iptables::legacy : Iptables::usual;
}

Action add_to_nftables(const LeakRules& rules) {
  const std::string table = table_of(rules.interface, rules.family);
  // A delete fails without a table, hence one is made first.
  std::string text = fmt::format("add table {0}\ndelete table {0}\nadd table {0}\n", table);
  text += fmt::format(
      "add chain {0} preraw {{ type filter hook prerouting priority -300; }}\n"
      "add chain {0} premangle {{ type filter hook prerouting priority -150; }}\n"
      "add chain {0} postmangle {{ type filter hook postrouting priority -150; }}\n",
      table);
  for (const io::LinkAddress& address : rules.addresses) {
    if (address.address.family() != rules.family) continue;
    text += fmt::format(
        "add rule {} preraw iifname != \"{}\" {} daddr {} fib saddr type != local drop\n", table,
        rules.interface, nft_name(rules.family), address.address.to_string());
  }
  text += fmt::format(
      "add rule {0} postmangle meta l4proto udp mark {1} ct mark set mark\n"
      "add rule {0} premangle meta l4proto udp meta mark set ct mark\n",
      table, rules.mark);
  return nft_action(fmt::format("nft add table {} # with its rules", table), std::move(text));
}

Action add_to_iptables(Iptables kind, const LeakRules& rules) {
  const std::string comment = comment_of(rules.interface);
  const std::string carried = fmt::format("-m comment --comment \"{}\"", comment);
  IptablesRules lines;
  for (const io::LinkAddress& address : rules.addresses) {
    if (address.address.family() != rules.family) continue;
    lines["raw"] +=
        fmt::format("-I PREROUTING ! -i {} -d {} -m addrtype ! --src-type LOCAL {} -j DROP\n",
                    rules.interface, address.address.to_string(), carried);
  }
  lines["mangle"] = fmt::format(
      "-I POSTROUTING -m mark --mark {0} -p udp {1} -j CONNMARK --save-mark\n"
      "-I PREROUTING -p udp {1} -j CONNMARK --restore-mark\n",
      rules.mark, carried);
  return iptables_action(kind, rules.family, comment, std::move(lines));
}

// Until the first that can.
Result<void> ask_filters(const LeakRules& rules,
                         const std::function<Result<void>(PacketFilter)>& ask) {
  std::string refusals;
  for (const PacketFilter filter : kFilters) {
    if (filter != PacketFilter::nftables && !is_here(kind_of(filter), rules.family)) continue;
    const auto done = ask(filter);
    if (done) return {};
    refusals += (refusals.empty() ? "" : "; ") + done.error().what;
  }
  return std::unexpected(
      make_error(EOPNOTSUPP, fmt::format("{}: {}", refusals, kWithoutLeakProtection)));
}

}  // namespace

Action add_leak_protection(PacketFilter filter, const LeakRules& rules) {
  if (filter == PacketFilter::nftables) return add_to_nftables(rules);
  return add_to_iptables(kind_of(filter), rules);
}

Action delete_leak_protection(PacketFilter filter, const std::string& interface, Family family) {
  if (filter != PacketFilter::nftables) {
    return iptables_action(kind_of(filter), family, comment_of(interface), {});
  }
  const std::string text = "delete table " + table_of(interface, family);
  return nft_action("nft " + text, text);
}

Result<void> protect_from_leaks(Transaction& transaction, const LeakRules& rules) {
  return ask_filters(rules, [&](PacketFilter filter) {
    return transaction.perform(add_leak_protection(filter, rules),
                               delete_leak_protection(filter, rules.interface, rules.family));
  });
}

Result<void> can_protect_from_leaks(const LeakRules& rules) {
  return ask_filters(
      rules, [&](PacketFilter filter) { return add_leak_protection(filter, rules).check(); });
}

std::vector<PacketFilter> leak_protection_of(const std::string& interface, Family family) {
  std::vector<PacketFilter> filters;
  if (has_nft_table(table_of(interface, family))) filters.push_back(PacketFilter::nftables);
  for (const PacketFilter filter : {PacketFilter::iptables_legacy, PacketFilter::iptables}) {
    if (has_iptables_rules(kind_of(filter), family, comment_of(interface))) {
      filters.push_back(filter);
    }
  }
  return filters;
}

}  // namespace ferrule::quick
