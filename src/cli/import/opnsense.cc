#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/import/foreign_file.h"
#include "cli/import/xml.h"
#include "control/named_peers.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

std::string list_text(std::string_view text) {
  std::string list;
  for (const char c : text) list += c == ',' ? ", " : std::string(1, c);
  return list;
}

std::string interface_of(const XmlElement& server) {
  const std::string_view instance = server.text("instance");
  return instance.empty() ? std::string(server.text("name")) : fmt::format("wg{}", instance);
}

void append_peer(control::WipedText& conf, const XmlElement& client) {
  conf.append("\n[Peer]\n");
  files::append_line(conf, "# Name", control::shown_name(client.text("name")));
  files::append_line(conf, "PublicKey", client.text("pubkey"));
  files::append_line(conf, "PresharedKey", client.text("psk"));
  files::append_line(conf, "AllowedIPs", list_text(client.text("tunneladdress")));
  const std::string_view host = client.text("serveraddress");
  if (!host.empty()) {
    const std::string_view port = client.text("serverport");
    const bool is_v6 = host.find(':') != host.npos && host[0] != '[';
    files::append_line(conf, "Endpoint",
                       fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                                   port.empty() ? "51820" : port));
  }
  files::append_line(conf, "PersistentKeepalive", client.text("keepalive"));
}

// The server of this name, or the only one.
std::expected<const XmlElement*, std::string> choose(const std::vector<const XmlElement*>& servers,
                                                     std::string_view wanted) {
  if (servers.empty())
    return std::unexpected("there is no WireGuard server in this XML of OPNsense's");
  std::vector<std::string> names;
  for (const XmlElement* server : servers) {
    names.push_back(interface_of(*server));
    if (wanted == names.back() || wanted == server->text("name")) return server;
  }
  if (servers.size() == 1) return servers[0];
  return std::unexpected(
      fmt::format("there are {} tunnels in this file: say `--as NAME' with one of {}",
                  servers.size(), fmt::join(names, ", ")));
}

}  // namespace

std::expected<Imported, std::string> read_opnsense(std::string_view text, std::string_view wanted) {
  const auto document = read_xml(text);
  if (!document) return std::unexpected("this XML can't be read: " + document.error());
  std::vector<const XmlElement*> servers;
  std::vector<const XmlElement*> clients;
  document->each("server", [&](const XmlElement& element) {
    if (!element.text("privkey").empty()) servers.push_back(&element);
  });
  document->each("client", [&](const XmlElement& element) {
    if (!element.text("pubkey").empty()) clients.push_back(&element);
  });
  const auto server = choose(servers, wanted);
  if (!server) return std::unexpected(server.error());
  Imported imported{"OPNsense", interface_of(**server), control::WipedText("[Interface]\n")};
  control::WipedText& conf = imported.conf;
  files::append_line(conf, "PrivateKey", (*server)->text("privkey"));
  files::append_line(conf, "ListenPort", (*server)->text("port"));
  files::append_line(conf, "Address", list_text((*server)->text("tunneladdress")));
  files::append_line(conf, "MTU", (*server)->text("mtu"));
  files::append_line(conf, "DNS", list_text((*server)->text("dns")));
  if ((*server)->text("disableroutes") == "1") files::append_line(conf, "Table", "off");
  const std::string_view peers = (*server)->text("peers");
  for (const XmlElement* client : clients) {
    const std::string_view id = client->attribute("uuid");
    const bool is_its = !id.empty() && peers.find(id) != peers.npos;
    if (is_its && client->text("enabled") != "0") append_peer(conf, *client);
  }
  return imported;
}

}  // namespace ferrule::cli
