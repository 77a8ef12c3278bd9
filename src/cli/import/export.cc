#include <fmt/format.h>
#include <unistd.h>

#include <span>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "cli/import/import.h"
#include "cli/terminal/conf_text.h"
#include "cli/terminal/not_there.h"
#include "cli/terminal/options.h"
#include "control/named_peers.h"
#include "control/prefix_list.h"
#include "files/conf_file.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

using control::WipedText;

std::string prefixes_of(const control::PeerConf& peer, std::string_view separator) {
  std::string list = control::prefix_list(peer.allowed_ips);
  for (std::size_t at = list.find(", "); at != list.npos; at = list.find(", ", at)) {
    list.replace(at, 2, separator);
  }
  return list;
}

std::string endpoint_of(const control::PeerConf& peer) {
  if (!peer.endpoint) return "";
  const std::string& host = peer.endpoint->host;
  const bool is_v6 = host.find(':') != host.npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", peer.endpoint->service);
}

void append_pair(WipedText& text, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  text.append(key);
  text.append("=");
  text.append(value);
  text.append("\n");
}

void append_key(WipedText& text, std::string_view key,
                std::span<const std::uint8_t, kKeySize> value) {
  WipedText line;
  files::append_key_line(line, "", value);
  text.append(key);
  text.append("=");
  text.append(control::trimmed(line.view()).substr(2));
  text.append("\n");
}

void append_nm_addresses(WipedText& text, const control::InterfaceConf& conf, Family family) {
  text.append(family == Family::v4 ? "\n[ipv4]\n" : "\n[ipv6]\n");
  int count = 0;
  std::string dns;
  for (const auto& own : conf.addresses) {
    if (own.address.family() != family) continue;
    append_pair(text, fmt::format("address{}", ++count),
                fmt::format("{}/{}", own.address.to_string(), own.prefix_length));
  }
  for (const IpAddress& server : conf.dns_servers) {
    if (server.family() == family) dns += server.to_string() + ";";
  }
  append_pair(text, "dns", dns);
  if (!dns.empty()) {
    std::string domains;
    for (const std::string& domain : conf.dns_search) domains += domain + ";";
    append_pair(text, "dns-search", domains);
  }
  append_pair(text, "method", count > 0 ? "manual" : "disabled");
}

WipedText as_network_manager(const std::string& interface, const control::Configuration& file) {
  const control::InterfaceConf& conf = file.interface;
  WipedText text("[connection]\n");
  append_pair(text, "id", interface);
  append_pair(text, "type", "wireguard");
  append_pair(text, "interface-name", interface);
  text.append("\n[wireguard]\n");
  if (conf.private_key) append_key(text, "private-key", conf.private_key->bytes());
  if (conf.listen_port) append_pair(text, "listen-port", std::to_string(*conf.listen_port));
  if (conf.fwmark) append_pair(text, "fwmark", std::to_string(*conf.fwmark));
  if (conf.mtu_bytes) append_pair(text, "mtu", std::to_string(*conf.mtu_bytes));
  if (conf.table == "off") append_pair(text, "peer-routes", "false");
  for (const control::PeerConf& peer : file.peers) {
    text.append(fmt::format("\n[wireguard-peer.{}]\n", to_base64(peer.public_key)));
    append_pair(text, "endpoint", endpoint_of(peer));
    if (peer.preshared_key) {
      append_key(text, "preshared-key", peer.preshared_key->bytes());
      append_pair(text, "preshared-key-flags", "0");
    }
    append_pair(text, "allowed-ips", prefixes_of(peer, ";") + ";");
    if (peer.persistent_keepalive_s) {
      append_pair(text, "persistent-keepalive", std::to_string(*peer.persistent_keepalive_s));
    }
  }
  append_nm_addresses(text, conf, Family::v4);
  append_nm_addresses(text, conf, Family::v6);
  return text;
}

WipedText as_networkd(const std::string& interface, const control::Configuration& file) {
  const control::InterfaceConf& conf = file.interface;
  WipedText text(fmt::format("# {0}.netdev\n[NetDev]\nName={0}\nKind=wireguard\n", interface));
  if (conf.mtu_bytes) append_pair(text, "MTUBytes", std::to_string(*conf.mtu_bytes));
  text.append("\n[WireGuard]\n");
  if (conf.private_key) append_key(text, "PrivateKey", conf.private_key->bytes());
  if (conf.listen_port) append_pair(text, "ListenPort", std::to_string(*conf.listen_port));
  if (conf.fwmark) append_pair(text, "FirewallMark", std::to_string(*conf.fwmark));
  append_pair(text, "RouteTable", conf.table == "off" ? "" : conf.table.value_or("main"));
  for (const control::PeerConf& peer : file.peers) {
    text.append("\n[WireGuardPeer]\n");
    append_pair(text, "PublicKey", to_base64(peer.public_key));
    if (peer.preshared_key) append_key(text, "PresharedKey", peer.preshared_key->bytes());
    append_pair(text, "AllowedIPs", prefixes_of(peer, ","));
    append_pair(text, "Endpoint", endpoint_of(peer));
    if (peer.persistent_keepalive_s) {
      append_pair(text, "PersistentKeepalive", std::to_string(*peer.persistent_keepalive_s));
    }
  }
  text.append(fmt::format("\n# {0}.network\n[Match]\nName={0}\n\n[Network]\n", interface));
  for (const auto& own : conf.addresses) {
    append_pair(text, "Address", fmt::format("{}/{}", own.address.to_string(), own.prefix_length));
  }
  for (const IpAddress& server : conf.dns_servers) append_pair(text, "DNS", server.to_string());
  for (const std::string& domain : conf.dns_search) append_pair(text, "Domains", domain);
  return text;
}

}  // namespace

int run_export(Console& console, Arguments arguments) {
  std::string interface;
  std::string format = "conf";
  CommandLine line(
      "Prints the file of an interface for another program, with its keys. Commands, names "
      "and disabled peers are in `conf' only.");
  line.add_option("IFACE", interface,
                  "an interface, or the path of its file, or - for standard input")
      .required();
  line.add_option("--to", format, "conf (as it is), networkmanager or networkd (two files in one)")
      .shown_as("FORMAT")
      .one_of({"conf", "networkmanager", "networkd"});
  line.examples(
      "ferrule export wg0 > wg0.conf\n"
      "ferrule export office --to networkmanager > office.nmconnection");
  if (const auto status = read_options(line, console, arguments)) return *status;
  const bool is_input = interface == "-";
  const auto path = is_input ? Result<files::ConfPath>(files::ConfPath{"/dev/stdin", "wg0"})
                             : files::find_conf(interface);
  if (!path) {
    console.err.print("{}\n", path.error().what);
    return 1;
  }
  if (access(path->path.c_str(), F_OK) != 0) {
    say_no_file(console, path->path, interface);
    return 1;
  }
  const auto text = read_conf_or_say(console, path->path);
  if (!text) return 1;
  if (format == "conf") {
    console.out.write(text->document.text().view());
  } else {
    console.out.write((format == "networkd"
                           ? as_networkd(path->interface, text->configuration)
                           : as_network_manager(path->interface, text->configuration))
                          .view());
  }
  return 0;
}

}  // namespace ferrule::cli
