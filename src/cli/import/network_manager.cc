#include <fmt/format.h>

#include "cli/import/foreign_file.h"
#include "cli/import/ini.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

constexpr std::string_view kPeer = "wireguard-peer.";

const IniSection* find(const std::vector<IniSection>& sections, std::string_view name) {
  for (const IniSection& section : sections) {
    if (is_same_word(section.name, name)) return &section;
  }
  return nullptr;
}

// "a;b;" as "a, b".
std::string list_of(std::string_view text) {
  std::string list;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(";,"), text.size());
    const std::string_view word = text.substr(0, end);
    if (!word.empty()) list += fmt::format("{}{}", list.empty() ? "" : ", ", word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

// "address1=10.0.0.2/24,10.0.0.1": the second is a gateway.
void append_addresses(control::WipedText& conf, const IniSection& section) {
  for (const auto& [key, value] : section.entries) {
    if (!key.starts_with("address") || key.size() < 8 || key[7] < '0' || key[7] > '9') continue;
    files::append_line(conf, "Address", value.substr(0, value.find(',')));
  }
}

void append_interface(control::WipedText& conf, const std::vector<IniSection>& sections,
                      const IniSection& own) {
  files::append_line(conf, "PrivateKey", own.value("private-key"));
  if (own.value("listen-port") != "0")
    files::append_line(conf, "ListenPort", own.value("listen-port"));
  if (own.value("fwmark") != "0") files::append_line(conf, "FwMark", own.value("fwmark"));
  if (own.value("mtu") != "0") files::append_line(conf, "MTU", own.value("mtu"));
  for (const std::string_view name : {"ipv4", "ipv6"}) {
    const IniSection* ip = find(sections, name);
    if (ip == nullptr) continue;
    append_addresses(conf, *ip);
    files::append_line(conf, "DNS", list_of(ip->value("dns")));
    std::string domains = list_of(ip->value("dns-search"));
    if (domains != "~.") files::append_line(conf, "DNS", domains);
    if (ip->value("never-default") == "true" && ip->value("route-table").empty()) continue;
    if (name == "ipv4") files::append_line(conf, "Table", ip->value("route-table"));
  }
  if (own.value("peer-routes") == "false") files::append_line(conf, "Table", "off");
}

}  // namespace

std::expected<Imported, std::string> read_network_manager(std::string_view text) {
  const std::vector<IniSection> sections = read_ini(text);
  const IniSection* connection = find(sections, "connection");
  const IniSection* own = find(sections, "wireguard");
  if (connection == nullptr || connection->value("type") != "wireguard" || own == nullptr) {
    return std::unexpected("this file of NetworkManager's is of no WireGuard connection");
  }
  if (own->value("private-key").empty()) {
    return std::unexpected(
        "the private key is not in this file, but in a keyring of NetworkManager's: `nmcli "
        "connection "
        "modify NAME wireguard.private-key-flags 0' puts it here");
  }
  Imported imported{"NetworkManager", std::string(connection->value("interface-name")), {}};
  control::WipedText& conf = imported.conf;
  conf.append("[Interface]\n");
  append_interface(conf, sections, *own);
  for (const IniSection& section : sections) {
    if (!section.name.starts_with(kPeer)) continue;
    conf.append("\n[Peer]\n");
    files::append_line(conf, "PublicKey", section.name.substr(kPeer.size()));
    files::append_line(conf, "PresharedKey", section.value("preshared-key"));
    files::append_line(conf, "AllowedIPs", list_of(section.value("allowed-ips")));
    files::append_line(conf, "Endpoint", section.value("endpoint"));
    if (section.value("persistent-keepalive") != "0") {
      files::append_line(conf, "PersistentKeepalive", section.value("persistent-keepalive"));
    }
  }
  return imported;
}

}  // namespace ferrule::cli
