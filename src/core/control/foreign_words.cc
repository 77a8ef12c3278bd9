#include "control/foreign_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ferrule::control {

namespace {

struct Word {
  std::string_view name;
  std::string_view program;
};

constexpr std::string_view kAmnezia = "AmneziaWG";
constexpr std::string_view kNetworkd = "systemd-networkd";
constexpr std::string_view kNetworkManager = "NetworkManager";
constexpr std::string_view kAndroid = "the app for Android";
constexpr std::string_view kWireSock = "WireSock";
constexpr std::string_view kWireproxy = "wireproxy";
constexpr std::string_view kFiles = "files of keys";
constexpr std::string_view kNames = "names";

constexpr std::array kKeys{
    Word{"Jc", kAmnezia},
    Word{"Jmin", kAmnezia},
    Word{"Jmax", kAmnezia},
    Word{"S1", kAmnezia},
    Word{"S2", kAmnezia},
    Word{"S3", kAmnezia},
    Word{"S4", kAmnezia},
    Word{"H1", kAmnezia},
    Word{"H2", kAmnezia},
    Word{"H3", kAmnezia},
    Word{"H4", kAmnezia},
    Word{"I1", kAmnezia},
    Word{"I2", kAmnezia},
    Word{"I3", kAmnezia},
    Word{"I4", kAmnezia},
    Word{"I5", kAmnezia},
    Word{"J1", kAmnezia},
    Word{"J2", kAmnezia},
    Word{"J3", kAmnezia},
    Word{"Itime", kAmnezia},
    Word{"AdvancedSecurity", kAmnezia},
    Word{"PrivateKeyFile", kFiles},
    Word{"PresharedKeyFile", kFiles},
    Word{"PublicKeyFile", kFiles},
    Word{"FirewallMark", kNetworkd},
    Word{"RouteTable", kNetworkd},
    Word{"RouteMetric", kNetworkd},
    Word{"IncludedApplications", kAndroid},
    Word{"ExcludedApplications", kAndroid},
    Word{"AllowedApps", kWireSock},
    Word{"DisallowedApps", kWireSock},
    Word{"DisallowedIPs", kWireSock},
    Word{"BypassLanTraffic", kWireSock},
    Word{"VirtualAdapterMode", kWireSock},
    Word{"Socks5Proxy", kWireSock},
    Word{"CheckAlive", kWireproxy},
    Word{"CheckAliveInterval", kWireproxy},
    Word{"Name", kNames},
    Word{"FriendlyName", kNames},
    Word{"friendly_name", kNames},
    Word{"Description", kNames},
    Word{"Comment", kNames},
    Word{"Label", kNames},
};

constexpr std::array kSections{
    Word{"[NetDev]", kNetworkd},
    Word{"[WireGuard]", kNetworkd},
    Word{"[WireGuardPeer]", kNetworkd},
    Word{"[Match]", kNetworkd},
    Word{"[Network]", kNetworkd},
    Word{"[Address]", kNetworkd},
    Word{"[Route]", kNetworkd},
    Word{"[RoutingPolicyRule]", kNetworkd},
    Word{"[connection]", kNetworkManager},
    Word{"[ipv4]", kNetworkManager},
    Word{"[ipv6]", kNetworkManager},
    Word{"[Socks5]", kWireproxy},
    Word{"[http]", kWireproxy},
    Word{"[TCPClientTunnel]", kWireproxy},
    Word{"[TCPServerTunnel]", kWireproxy},
    Word{"[UDPProxyTunnel]", kWireproxy},
};

std::string what_to_do(std::string_view program, std::string_view name, ConfSectionKind section) {
  if (program == kAmnezia) {
    return fmt::format(
        "{} is a key of AmneziaWG's, which speaks another protocol. Ask for a file for WireGuard; "
        "if "
        "the server speaks that too, leave out this line and all of its kind",
        name);
  }
  if (program == kFiles) {
    const std::string_view value = name.substr(0, name.size() - std::string_view("File").size());
    if (value == "PrivateKey") {
      return fmt::format(
          "{} is a key of other programs' files: here the key itself stands in PrivateKey, or "
          "comes with `PostUp = wg set %i private-key FILE'",
          name);
    }
    return fmt::format("{} is a key of other programs' files: here the key itself stands in {}",
                       name, value);
  }
  if (program == kNames) {
    if (section == ConfSectionKind::interface) {
      return fmt::format("{} is no key of WireGuard's: make a comment of it, with `#'", name);
    }
    return fmt::format(
        "{} is no key of WireGuard's: a peer's name stands in a comment, `# Name = ...', "
        "which ferrule reads and others pass over",
        name);
  }
  return fmt::format(
      "{} is a key of {}'s, and nothing that WireGuard does: leave it out, or make a "
      "comment of it, with `#'",
      name, program);
}

std::string_view about_sections(std::string_view program) {
  if (program == kNetworkd) {
    return "this is a file of systemd-networkd's. Here [WireGuard] is [Interface], [WireGuardPeer] "
           "is "
           "[Peer], and Address and DNS of its .network file stand in [Interface]";
  }
  if (program == kNetworkManager) {
    return "this is a file of NetworkManager's. `nmcli connection up NAME' brings it up; here keys "
           "and "
           "addresses stand in [Interface] and [Peer]";
  }
  return "this section is wireproxy's: WireGuard has [Interface] and [Peer] only";
}

bool is_prefix_of(std::string_view word, std::string_view text) {
  return text.size() >= word.size() && is_named(text.substr(0, word.size()), word);
}

}  // namespace

std::optional<ForeignWord> foreign_key(std::string_view written, ConfSectionKind section) {
  const auto word =
      std::ranges::find_if(kKeys, [&](const Word& known) { return is_named(written, known.name); });
  if (word == kKeys.end()) return std::nullopt;
  return ForeignWord{word->program, what_to_do(word->program, word->name, section)};
}

std::optional<ForeignWord> foreign_section(std::string_view written) {
  if (is_prefix_of("[wireguard-peer.", written)) {
    return ForeignWord{kNetworkManager, std::string(about_sections(kNetworkManager))};
  }
  const auto word = std::ranges::find_if(
      kSections, [&](const Word& known) { return is_named(written, known.name); });
  if (word == kSections.end()) return std::nullopt;
  return ForeignWord{word->program, std::string(about_sections(word->program))};
}

// angristan's and pivpn's "### Client alice" and "### begin alice ###", Nyr's "# BEGIN_PEER alice",
// wg-easy's "# Client: alice (id)", and what an exporter for Prometheus reads.
std::string_view foreign_name(std::string_view line) {
  constexpr std::array<std::string_view, 7> kMarks{
      "### Client ",      "### begin ",        "# BEGIN_PEER ",   "# Client: ",
      "# friendly_name=", "# friendly_name =", "# friendly_name:"};
  line = trimmed(line);
  for (const std::string_view mark : kMarks) {
    if (line.size() <= mark.size()) continue;
    const bool is_same = std::ranges::equal(
        line.substr(0, mark.size()), mark, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    if (!is_same) continue;
    std::string_view name = trimmed(line.substr(mark.size()));
    if (name.ends_with("###")) name = trimmed(name.substr(0, name.size() - 3));
    if (mark == "# Client: ") name = trimmed(name.substr(0, name.rfind('(')));
    return name;
  }
  return {};
}

}  // namespace ferrule::control
