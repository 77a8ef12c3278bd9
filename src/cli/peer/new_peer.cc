#include "cli/peer/new_peer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/key_text.h"
#include "cli/terminal/options.h"
#include "control/conf_check.h"
#include "control/value_mistakes.h"
#include "control/values.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "files/key_lines.h"
#include "files/lookup.h"

namespace ferrule::cli {

namespace {

constexpr std::string_view kKeepalive = "25";  // outlives the usual NAT mapping of 30 s

// A list as it stands in a file; anything that would end its line is not in it.
bool is_one_line(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '#'; });
}

// What clients call this machine: by `# Name' in [Interface], or by its endpoint, or its own name.
std::string name_of_server(const PeerFile& file, const std::string& endpoint) {
  if (auto name = control::interface_note(file.document, "Name")) {
    return control::shown_name(*name);
  }
  const auto at = control::parse_host_port(endpoint);
  if (at && files::look_up(at->host, true).empty()) return control::shown_name(at->host);
  std::array<char, 65> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return "";
  return control::shown_name(host.data());
}

bool choose_endpoint(Console& console, const PeerFile& file, const PeerOptions& options,
                     NewPeer& peer) {
  std::string text = options.endpoint;
  if (text.empty()) text = control::interface_note(file.document, "Endpoint").value_or("");
  if (text.empty()) {
    return refuse_words(console, peer,
                        fmt::format("Where will {} find this machine? Say --endpoint HOST[:PORT], "
                                    "or once for all in [Interface]: `# Endpoint = HOST:PORT'",
                                    options.name));
  }
  std::uint16_t port = file.configuration.interface.listen_port.value_or(0);
  if (port == 0 && file.device) port = file.device->listen_port;
  const auto endpoint = control::complete_endpoint(text, port);
  peer.is_misworded = !options.endpoint.empty();  // or else it is the file's
  if (!endpoint) return refuse(console, "--endpoint: " + endpoint.error());
  if (!is_one_line(text)) return refuse(console, "--endpoint: expected HOST[:PORT] in one line");
  peer.is_misworded = false;
  peer.endpoint = *endpoint;
  peer.server_name = name_of_server(file, *endpoint);
  return true;
}

// The whole file for the peer's own machine.
control::WipedText text_for_client(const NewPeer& peer, std::string_view name) {
  control::WipedText text("[Interface]\n");
  files::append_line(text, "# Name", name);
  files::append_key_line(text, "PrivateKey", peer.private_key.bytes());
  files::append_line(text, "Address", list_of(peer.addresses));
  files::append_line(text, "DNS", peer.dns);
  text.append("\n[Peer]\n");
  files::append_line(text, "# Name", peer.server_name);
  files::append_line(text, "PublicKey", to_base64(peer.server_key));
  if (!peer.preshared_key.is_zero()) {
    files::append_key_line(text, "PresharedKey", peer.preshared_key.bytes());
  }
  files::append_line(text, "AllowedIPs", peer.allowed_ips);
  files::append_line(text, "Endpoint", peer.endpoint);
  files::append_line(text, "PersistentKeepalive", kKeepalive);
  return text;
}

bool is_good_conf(Console& console, const control::WipedText& text) {
  const control::ConfDocument document("the peer's file", text.view());
  const auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!configuration) return refuse(console, configuration.error().front().to_string());
  for (const control::ConfFinding& finding :
       control::check_configuration(document, *configuration, {})) {
    if (finding.severity == control::Severity::error) {
      return refuse(console, finding.where.to_string());
    }
  }
  return true;
}

}  // namespace

bool refuse(Console& console, std::string_view why) {
  console.err.print("{}\n", why);
  return false;
}

bool refuse_words(Console& console, NewPeer& peer, std::string_view why) {
  peer.is_misworded = true;
  return refuse(console, why);
}

int status_without(const Console& console, const NewPeer& peer) {
  return peer.is_misworded ? usage_status(console) : 1;
}

std::string list_of(const std::vector<IpAddress>& addresses) {
  std::string list;
  for (const IpAddress& address : addresses) {
    list +=
        fmt::format("{}{}", list.empty() ? "" : ", ", Cidr(address, address.bits()).to_string());
  }
  return list;
}

bool choose_client_part(Console& console, const PeerFile& file, const PeerOptions& options,
                        NewPeer& peer) {
  peer.dns = options.dns;
  if (peer.dns.empty()) peer.dns = control::interface_note(file.document, "ClientDNS").value_or("");
  peer.allowed_ips = options.allowed_ips;
  if (peer.allowed_ips.empty()) {
    for (const control::InterfaceAddress& own : file.configuration.interface.addresses) {
      if (!peer.allowed_ips.empty()) peer.allowed_ips += ", ";
      peer.allowed_ips += Cidr(own.address, own.prefix_length).to_string();
    }
  }
  if (!is_one_line(peer.dns)) {
    return refuse_words(console, peer, "--dns: expected addresses and domains");
  }
  return choose_endpoint(console, file, options, peer);
}

bool choose_keys(Console& console, const PeerFile& file, bool has_psk, NewPeer& peer) {
  if (const auto& own = file.configuration.interface.private_key) {
    peer.server_key = crypto::public_key_of(*own);
  } else if (file.device && file.device->public_key) {
    peer.server_key = *file.device->public_key;
  } else {
    return refuse(console, fmt::format("{}: [Interface] has no PrivateKey", file.path));
  }
  crypto::SystemRng rng;
  const bool is_random = rng.fill(peer.private_key.mut_bytes()) &&
                         (!has_psk || rng.fill(peer.preshared_key.mut_bytes()));
  if (!is_random) return refuse(console, system_error(errno, "getrandom").what);
  crypto::clamp(peer.private_key);
  return true;
}

std::optional<control::WipedText> client_conf_of(Console& console, const PeerOptions& options,
                                                 NewPeer& peer, std::string_view name) {
  control::WipedText text = text_for_client(peer, name);
  if (is_good_conf(console, text)) return text;
  // All else in it is ours.
  peer.is_misworded = !options.dns.empty() || !options.allowed_ips.empty();
  return std::nullopt;
}

}  // namespace ferrule::cli
