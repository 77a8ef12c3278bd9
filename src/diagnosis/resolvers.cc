#include "diagnosis/resolvers.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace ferrule::diagnosis {

namespace {

constexpr std::string_view kResolvConf = "/etc/resolv.conf";
// What systemd-resolved asks itself, and what it knows of each link.
constexpr std::string_view kUpstreams = "/run/systemd/resolve/resolv.conf";
constexpr std::string_view kLinks = "/run/systemd/resolve/netif";
constexpr std::string_view kStub = "127.0.0.53";
constexpr std::size_t kMaxServers = 16;
constexpr std::size_t kMaxFileBytes = 65536;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text(kMaxFileBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return text;
}

bool is_loopback(const IpAddress& address) {
  if (address.family() == Family::v4) return address.bytes()[0] == 127;
  return address == *IpAddress::parse("::1");
}

// "fe80::1%eth0", "10.0.0.1#53", "10.0.0.1#name".
std::optional<IpAddress> address_in(std::string_view word) {
  return IpAddress::parse(word.substr(0, word.find_first_of("%#")));
}

std::vector<IpAddress> addresses_in(const std::string& words) {
  std::vector<IpAddress> found;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) {
    if (const auto address = address_in(word)) found.push_back(*address);
  }
  return found;
}

std::vector<IpAddress> of_links() {
  std::vector<IpAddress> found;
  std::error_code error;
  for (std::filesystem::directory_iterator link(kLinks, error), end; !error && link != end;
       link.increment(error)) {
    for (const IpAddress& server : servers_for_all_names(text_of(link->path()))) {
      found.push_back(server);
    }
  }
  return found;
}

}  // namespace

std::vector<IpAddress> name_servers_in(std::string_view resolv_conf) {
  std::vector<IpAddress> servers;
  std::istringstream lines{std::string(resolv_conf)};
  for (std::string line; std::getline(lines, line) && servers.size() < kMaxServers;) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    if (!(words >> key >> value) || key != "nameserver") continue;
    if (const auto address = address_in(value)) servers.push_back(*address);
  }
  return servers;
}

std::vector<IpAddress> servers_for_all_names(std::string_view link_state) {
  std::vector<IpAddress> servers;
  bool is_for_all = false;
  std::istringstream lines{std::string(link_state)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("SERVERS=")) servers = addresses_in(line.substr(8));
    if (!line.starts_with("DOMAINS=")) continue;
    std::istringstream words(line.substr(8));
    for (std::string word; words >> word;) is_for_all = is_for_all || word == "~.";
  }
  return is_for_all ? servers : std::vector<IpAddress>();
}

ResolverFacts find_resolvers(const InterfaceOf& interface_of) {
  ResolverFacts facts;
  facts.path = kResolvConf;
  std::vector<IpAddress> servers = name_servers_in(text_of(facts.path));
  const bool is_stub = std::ranges::find(servers, *IpAddress::parse(kStub)) != servers.end();
  if (is_stub) {
    std::vector<IpAddress> upstream = of_links();
    if (upstream.empty()) upstream = name_servers_in(text_of(kUpstreams));
    if (!upstream.empty()) {
      servers = std::move(upstream);
      facts.path = "systemd-resolved";
    }
  }
  for (const IpAddress& address : servers) {
    if (facts.servers.size() == kMaxServers) break;
    facts.servers.push_back({address, interface_of(address), is_loopback(address)});
  }
  return facts;
}

}  // namespace ferrule::diagnosis
