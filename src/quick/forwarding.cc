#include "quick/forwarding.h"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>

#include "control/named_peers.h"
#include "quick/nftables.h"
#include "quick/record.h"

namespace ferrule::quick {

namespace {

constexpr std::array<std::string_view, 5> kPrivate{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                                   "100.64.0.0/10", "fc00::/7"};

std::string_view setting_of(Family family) {
  return family == Family::v4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
}

std::string file_of(Family family) {
  std::string path = "/proc/sys/" + std::string(setting_of(family));
  std::ranges::replace(path, '.', '/');
  return path;
}

bool is_private(const IpAddress& address) {
  return std::ranges::any_of(
      kPrivate, [&](std::string_view text) { return Cidr::parse(text)->contains(address); });
}

// A single address is no network whose packets could be carried on.
bool is_network(const io::LinkAddress& address) {
  return address.prefix_length < address.address.bits() && !address.address.is_link_local();
}

std::string table_of(const std::string& interface) { return "inet ferrule-forward-" + interface; }

}  // namespace

std::optional<bool> forwarding_of(const control::ConfDocument& document) {
  const auto text = control::interface_note(document, "Forward");
  if (!text || *text == "off") return false;
  if (*text == "on") return true;
  return std::nullopt;
}

bool is_forwarding(Family family) {
  std::ifstream file(file_of(family));
  int value = 0;
  return !(file >> value) || value != 0;
}

Action set_forwarding(Family family, bool is_on) {
  return {fmt::format("sysctl -q {}={}", setting_of(family), is_on ? 1 : 0),
          [family, is_on]() -> Result<void> {
            std::ofstream file(file_of(family));
            file << (is_on ? 1 : 0) << std::flush;
            if (file) return {};
            return std::unexpected(system_error(errno, "write " + file_of(family)));
          }};
}

Action add_masquerade(const std::string& interface, const std::vector<io::LinkAddress>& addresses) {
  const std::string table = table_of(interface);
  // A delete fails without a table, hence one is made first.
  std::string text = fmt::format(
      "add table {0}\ndelete table {0}\nadd table {0}\n"
      "add chain {0} postrouting {{ type nat hook postrouting priority 100; policy accept; }}\n",
      table);
  for (const io::LinkAddress& address : addresses) {
    if (!is_network(address) || !is_private(address.address)) continue;
    text += fmt::format("add rule {} postrouting oifname != \"{}\" {} saddr {} masquerade\n", table,
                        interface, address.address.family() == Family::v4 ? "ip" : "ip6",
                        Cidr(address.address, address.prefix_length).to_string());
  }
  return nft_action(fmt::format("nft add table {} # with its rules", table), std::move(text));
}

Action delete_masquerade(const std::string& interface) {
  const std::string text = "delete table " + table_of(interface);
  return nft_action("nft " + text, text);
}

bool has_masquerade(const std::string& interface) { return has_nft_table(table_of(interface)); }

Result<std::vector<Family>> start_forwarding(Transaction& transaction, const std::string& interface,
                                             const std::vector<io::LinkAddress>& addresses) {
  std::vector<Family> started;
  for (const Family family : {Family::v4, Family::v6}) {
    const bool is_wanted = std::ranges::any_of(addresses, [&](const io::LinkAddress& address) {
      return address.address.family() == family && is_network(address);
    });
    if (!is_wanted || is_forwarding(family)) continue;
    auto done = transaction.perform(set_forwarding(family, true), set_forwarding(family, false));
    if (!done) {
      done.error().what +=
          fmt::format(" (in a container: docker run --sysctl {}=1)", setting_of(family));
      return std::unexpected(done.error());
    }
    started.push_back(family);
  }
  auto done =
      transaction.perform(add_masquerade(interface, addresses), delete_masquerade(interface));
  if (!done) return std::unexpected(done.error());
  return started;
}

std::vector<Family> families_to_stop(const std::string& interface,
                                     const std::vector<Family>& families) {
  if (families.empty()) return {};
  for (const std::string& other : recorded_interfaces()) {
    auto record = read_record(other);
    if (other == interface || !record || if_nametoindex(other.c_str()) != record->link_index) {
      continue;
    }
    const control::ConfDocument document(record->path, record->conf.view());
    if (!forwarding_of(document).value_or(false)) continue;
    for (const Family family : families) {
      if (std::ranges::find(record->forwarded, family) == record->forwarded.end()) {
        record->forwarded.push_back(family);
      }
    }
    if (write_record(other, *record)) return {};
  }
  return families;
}

}  // namespace ferrule::quick
