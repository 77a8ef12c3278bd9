#include "quick/leak_protection.h"

#include <fmt/format.h>

#include <string_view>

#include "quick/nftables.h"

namespace ferrule::quick {

namespace {

std::string_view nft_name(Family family) { return family == Family::v4 ? "ip" : "ip6"; }

// "ip wg-quick-wg0": the name that wg-quick gives it, so that either can take down the other's.
std::string table_of(const std::string& interface, Family family) {
  return fmt::format("{} wg-quick-{}", nft_name(family), interface);
}

}  // namespace

Action add_leak_protection(const std::string& interface, Family family, std::uint32_t mark,
                           const std::vector<io::LinkAddress>& addresses) {
  const std::string table = table_of(interface, family);
  // A delete fails without a table, hence one is made first.
  std::string text = fmt::format("add table {0}\ndelete table {0}\nadd table {0}\n", table);
  text += fmt::format(
      "add chain {0} preraw {{ type filter hook prerouting priority -300; }}\n"
      "add chain {0} premangle {{ type filter hook prerouting priority -150; }}\n"
      "add chain {0} postmangle {{ type filter hook postrouting priority -150; }}\n",
      table);
  for (const io::LinkAddress& address : addresses) {
    if (address.address.family() != family) continue;
    text += fmt::format(
        "add rule {} preraw iifname != \"{}\" {} daddr {} fib saddr type != local drop\n", table,
        interface, nft_name(family), address.address.to_string());
  }
  text += fmt::format(
      "add rule {0} postmangle meta l4proto udp mark {1} ct mark set mark\n"
      "add rule {0} premangle meta l4proto udp meta mark set ct mark\n",
      table, mark);
  return nft_action(fmt::format("nft add table {} # with its rules", table), std::move(text));
}

Action delete_leak_protection(const std::string& interface, Family family) {
  const std::string text = "delete table " + table_of(interface, family);
  return nft_action("nft " + text, text);
}

std::vector<Family> leak_protected(const std::string& interface) {
  std::vector<Family> families;
  for (const Family family : {Family::v4, Family::v6}) {
    if (has_nft_table(table_of(interface, family))) families.push_back(family);
  }
  return families;
}

}  // namespace ferrule::quick
