#include "quick/kill_switch.h"

#include <fmt/format.h>

#include <string_view>

#include "control/named_peers.h"
#include "quick/nftables.h"

namespace ferrule::quick {

namespace {

std::string table_of(const std::string& interface) {
  return "inet ferrule-kill-switch-" + interface;
}

// What a link needs to have addresses at all.
constexpr std::string_view kLinkRules =
    "add rule {0} {1} udp sport 68 udp dport 67 accept\n"
    "add rule {0} {1} udp sport 546 udp dport 547 accept\n"
    "add rule {0} {1} icmpv6 type {{ nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, "
    "mld-listener-report, mld2-listener-report }} accept\n";

// Names of private networks are asked for inside the tunnel, too.
constexpr std::string_view kLanRules =
    "add rule {0} {1} udp dport {{ 53, 853 }} reject with icmpx type admin-prohibited\n"
    "add rule {0} {1} tcp dport {{ 53, 853 }} reject with icmpx type admin-prohibited\n"
    "add rule {0} {1} ip daddr {{ 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, "
    "224.0.0.0/24, 239.0.0.0/8, 255.255.255.255 }} accept\n"
    "add rule {0} {1} ip6 daddr {{ fe80::/10, fc00::/7, ff02::/16, ff05::/16 }} accept\n";

std::string chain_of(const std::string& table, std::string_view chain, std::string_view before,
                     KillSwitch kind) {
  std::string text = fmt::format(
      "add chain {0} {1} {{ type filter hook {1} priority 0; policy accept; }}\n", table, chain);
  text += before;
  if (kind == KillSwitch::lan) text += fmt::format(fmt::runtime(kLanRules), table, chain);
  text += fmt::format("add rule {0} {1} reject with icmpx type admin-prohibited\n", table, chain);
  return text;
}

}  // namespace

std::optional<KillSwitch> kill_switch_of(const control::ConfDocument& document) {
  const auto text = control::interface_note(document, "KillSwitch");
  if (!text || *text == "off") return KillSwitch::off;
  if (*text == "on") return KillSwitch::on;
  if (*text == "lan") return KillSwitch::lan;
  return std::nullopt;
}

Action add_kill_switch(const std::string& interface, KillSwitch kind, std::uint32_t mark) {
  const std::string table = table_of(interface);
  // A delete fails without a table, hence one is made first.
  std::string text = fmt::format("add table {0}\ndelete table {0}\nadd table {0}\n", table);
  const std::string own = fmt::format(
      "add rule {0} output oifname {{ \"lo\", \"{1}\" }} accept\n"
      "add rule {0} output meta l4proto udp meta mark {2} accept\n",
      table, interface, mark);
  text +=
      chain_of(table, "output", own + fmt::format(fmt::runtime(kLinkRules), table, "output"), kind);
  const std::string through = fmt::format(
      "add rule {0} forward oifname \"{1}\" accept\nadd rule {0} forward iifname \"{1}\" accept\n",
      table, interface);
  text += chain_of(table, "forward", through, kind);
  return nft_action(fmt::format("nft add table {} # with its rules", table), std::move(text));
}

Action delete_kill_switch(const std::string& interface) {
  const std::string text = "delete table " + table_of(interface);
  return nft_action("nft " + text, text);
}

bool has_kill_switch(const std::string& interface) { return has_nft_table(table_of(interface)); }

}  // namespace ferrule::quick
