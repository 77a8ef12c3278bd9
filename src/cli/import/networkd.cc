#include <fmt/format.h>

#include "cli/import/foreign_file.h"
#include "cli/import/ini.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

// Several words or lines, as one list.
std::string list_of(const IniSection& section, std::string_view key) {
  std::string list;
  for (std::string_view value : section.values(key)) {
    while (!value.empty()) {
      const std::size_t end = std::min(value.find_first_of(" ,\t"), value.size());
      if (end > 0) list += fmt::format("{}{}", list.empty() ? "" : ", ", value.substr(0, end));
      value.remove_prefix(std::min(end + 1, value.size()));
    }
  }
  return list;
}

void append_own(control::WipedText& conf, const IniSection& section) {
  files::append_line(conf, "PrivateKey", section.value("PrivateKey"));
  const std::string_view port = section.value("ListenPort");
  if (port != "auto") files::append_line(conf, "ListenPort", port);
  files::append_line(conf, "FwMark", section.value("FirewallMark"));
  files::append_line(conf, "Table", section.value("RouteTable"));
  if (const std::string_view file = section.value("PrivateKeyFile"); !file.empty()) {
    files::append_line(conf, "PostUp", fmt::format("wg set %i private-key {}", file));
  }
}

void append_peer(control::WipedText& conf, const IniSection& section) {
  conf.append("\n[Peer]\n");
  for (const std::string_view key :
       {"PublicKey", "PresharedKey", "Endpoint", "PersistentKeepalive"}) {
    files::append_line(conf, key, section.value(key));
  }
  files::append_line(conf, "AllowedIPs", list_of(section, "AllowedIPs"));
}

}  // namespace

std::expected<Imported, std::string> read_networkd(std::string_view text) {
  Imported imported{"systemd-networkd", "", control::WipedText("[Interface]\n")};
  control::WipedText peers;
  bool is_wireguard = false;
  for (const IniSection& section : read_ini(text)) {
    if (is_same_word(section.name, "NetDev")) {
      imported.interface = section.value("Name");
      is_wireguard = is_same_word(section.value("Kind"), "wireguard");
      files::append_line(imported.conf, "MTU", section.value("MTUBytes"));
    } else if (is_same_word(section.name, "WireGuard")) {
      append_own(imported.conf, section);
    } else if (is_same_word(section.name, "Network") || is_same_word(section.name, "Address")) {
      files::append_line(imported.conf, "Address", list_of(section, "Address"));
      files::append_line(imported.conf, "DNS", list_of(section, "DNS"));
    } else if (is_same_word(section.name, "WireGuardPeer")) {
      if (!section.value("PresharedKeyFile").empty()) {
        return std::unexpected(
            "a peer's PresharedKeyFile is in a file of its own: put the key into PresharedKey "
            "first");
      }
      append_peer(peers, section);
    }
  }
  if (!is_wireguard) return std::unexpected("this .netdev is no WireGuard device (Kind=wireguard)");
  imported.conf.append(peers.view());
  return imported;
}

}  // namespace ferrule::cli
