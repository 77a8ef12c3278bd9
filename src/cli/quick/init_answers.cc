#include "cli/quick/init_answers.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "base/key_text.h"
#include "control/conf_check.h"
#include "control/conf_configuration.h"
#include "control/value_mistakes.h"
#include "crypto/random.h"
#include "files/conf_file.h"
#include "files/key_lines.h"
#include "io/linux/fd.h"

namespace ferrule::cli {

namespace {

constexpr std::uint16_t kFirstPort = 51820;
constexpr std::uint16_t kPortsTried = 100;

// "Address: expected ...": what follows the key.
std::string without_key(std::string message) {
  const std::size_t end = message.find(": ");
  const bool is_key =
      end != message.npos && std::ranges::all_of(message.substr(0, end), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      });
  return is_key ? message.substr(end + 2) : message;
}

std::optional<std::string> line_mistake(std::string_view text) {
  const bool is_one_line = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '#'; });
  if (is_one_line) return std::nullopt;
  return "an answer has a line break or a `#' in it";
}

// A section with one line of ours, read as a file would be: the first thing wrong with that line.
std::optional<std::string> mistake_in(std::string_view head, std::string_view line) {
  if (auto mistake = line_mistake(line)) return mistake;
  const control::ConfDocument document("", fmt::format("{}{}\n", head, line));
  const auto conf = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!conf) return without_key(conf.error().front().message);
  for (const auto& finding : control::check_configuration(document, *conf, {})) {
    const bool is_about_it = finding.where.line == document.line_count();
    if (is_about_it && finding.severity == control::Severity::error) {
      return without_key(finding.where.message);
    }
  }
  return std::nullopt;
}

// A server's clients need addresses too: of each family one network is to have room for them.
std::optional<std::string> address_without_room(const std::string& list) {
  const control::ConfDocument document("", fmt::format("[Interface]\nAddress = {}\n", list));
  const auto conf = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!conf) return std::nullopt;
  const auto& addresses = conf->interface.addresses;
  for (const control::InterfaceAddress& own : addresses) {
    const bool has_room = std::ranges::any_of(addresses, [&](const auto& other) {
      return other.address.family() == own.address.family() &&
             other.prefix_length < other.address.bits();
    });
    if (!has_room) return own.address.to_string();
  }
  return std::nullopt;
}

bool is_free(int family, std::uint16_t port) {
  const io::UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return true;  // nobody has what there is not
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  if (family == AF_INET) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return bind(fd.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof v4) == 0;
  }
  const int only = 1;
  setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof v6) == 0;
}

std::set<std::uint16_t> ports_in_files() {
  std::set<std::uint16_t> ports;
  for (const std::string& interface : files::interfaces_with_files()) {
    const auto conf = files::read_conf_text(files::conf_path_of(interface));
    if (conf && conf->configuration.interface.listen_port) {
      ports.insert(*conf->configuration.interface.listen_port);
    }
  }
  return ports;
}

control::WipedText server_conf(const InitAnswers& answers, const PrivateKey& key) {
  control::WipedText text("[Interface]\n");
  files::append_line(text, "# Endpoint", answers.endpoint);
  files::append_line(text, "# ClientDNS", answers.dns);
  files::append_line(text, "# Forward", answers.is_forwarding ? "on" : "");
  files::append_key_line(text, "PrivateKey", key.bytes());
  files::append_line(text, "ListenPort", answers.port);
  files::append_line(text, "Address", answers.address);
  return text;
}

control::WipedText client_conf(const InitAnswers& answers, const PrivateKey& key) {
  control::WipedText text("[Interface]\n");
  files::append_key_line(text, "PrivateKey", key.bytes());
  files::append_line(text, "ListenPort", answers.port);
  files::append_line(text, "Address", answers.address);
  files::append_line(text, "DNS", answers.dns);
  text.append("\n[Peer]\n");
  files::append_line(text, "PublicKey", answers.peer_key);
  files::append_line(text, "AllowedIPs", answers.allowed_ips);
  files::append_line(text, "Endpoint", answers.endpoint);
  files::append_line(text, "PersistentKeepalive", "25");
  return text;
}

}  // namespace

std::optional<std::string> address_mistake(const std::string& answer, bool is_server) {
  if (auto mistake = mistake_in("[Interface]\n", "Address = " + answer)) return mistake;
  const auto room = is_server ? address_without_room(answer) : std::nullopt;
  if (!room) return std::nullopt;
  return fmt::format("{0} leaves no room for clients: say a network, like {0}/{1}", *room,
                     room->find(':') == room->npos ? 24 : 64);
}

std::optional<std::string> port_mistake(const std::string& answer) {
  const auto port = control::parse_decimal<std::uint16_t>(answer);
  if (port && *port != 0) return std::nullopt;
  return "expected a port from 1 to 65535";
}

std::optional<std::string> endpoint_mistake(const std::string& answer, const std::string& port) {
  constexpr std::string_view kPeer =
      "[Interface]\n[Peer]\nPublicKey = ERERERERERERERERERERERERERERERERERERERERERE=\n";
  if (auto mistake = line_mistake(answer)) return mistake;
  const auto known = control::parse_decimal<std::uint16_t>(port);
  if (!known) return mistake_in(kPeer, "Endpoint = " + answer);
  const auto endpoint = control::complete_endpoint(answer, *known);
  if (!endpoint) return endpoint.error();
  return mistake_in(kPeer, "Endpoint = " + *endpoint);
}

std::optional<std::string> dns_mistake(const std::string& answer) {
  std::string list = answer;
  std::ranges::replace(list, ',', ' ');
  std::istringstream words(list);
  for (std::string word; words >> word;) {
    if (auto mistake = control::dns_mistake(word)) return mistake;
  }
  return mistake_in("[Interface]\n", "DNS = " + answer);
}

std::optional<std::string> peer_key_mistake(const std::string& answer) {
  if (public_key_from_base64(answer)) return std::nullopt;
  return "expected a public key: 44 characters that end with `='";
}

std::optional<std::string> allowed_ips_mistake(const std::string& answer) {
  return mistake_in(
      "[Interface]\n[Peer]\nPublicKey = ERERERERERERERERERERERERERERERERERERERERERE=\n",
      "AllowedIPs = " + answer);
}

control::WipedText conf_of(const InitAnswers& answers, const PrivateKey& key) {
  return answers.is_server ? server_conf(answers, key) : client_conf(answers, key);
}

// RFC 4193 §3.2.2 asks for random ones, and for IPv4 there is at least a choice of 65536.
std::string random_networks() {
  std::array<std::uint8_t, 7> random{};
  crypto::SystemRng rng;
  if (!rng.fill(random)) return {};
  std::array<std::uint8_t, 16> v6{0xfd, random[2], random[3], random[4], random[5], random[6]};
  v6[15] = 1;
  return fmt::format("10.{}.{}.1/24, {}/64", random[0], random[1], IpAddress::v6(v6).to_string());
}

std::string free_port() {
  const std::set<std::uint16_t> taken = ports_in_files();
  for (std::uint16_t port = kFirstPort; port < kFirstPort + kPortsTried; ++port) {
    if (!taken.contains(port) && is_free(AF_INET, port) && is_free(AF_INET6, port)) {
      return std::to_string(port);
    }
  }
  return std::to_string(kFirstPort);
}

}  // namespace ferrule::cli
