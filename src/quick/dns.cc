#include "quick/dns.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "files/lock.h"
#include "quick/child.h"

namespace ferrule::quick {

namespace {

// Debian's resolvconf orders interfaces by name, and lists patterns ("tun*"): under a name that
// begins as the first pattern does, ours comes where VPNs belong.
std::string name_at_resolvconf(const std::string& interface) {
  std::ifstream order("/etc/resolvconf/interface-order");
  std::string line;
  while (std::getline(order, line)) {
    const std::size_t end = line.find_first_of(" \t\r");
    const std::string_view pattern = std::string_view(line).substr(0, end);
    if (pattern.size() < 2 || !pattern.ends_with('*')) continue;
    const std::string_view name = pattern.substr(0, pattern.size() - 1);
    const auto is_plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (std::ranges::all_of(name, is_plain)) return fmt::format("{}.{}", name, interface);
  }
  return interface;
}

constexpr std::string_view kMemory = "/run/ferrule/";
constexpr std::string_view kServer = "nameserver";
constexpr std::string_view kSearch = "search";

std::string memory_of(const std::string& interface) {
  return fmt::format("{}{}.dns", kMemory, interface);
}

// As resolvconf takes it, and as it is remembered.
std::string text_of(const DnsSettings& settings) {
  std::string text;
  for (const IpAddress& server : settings.servers) {
    text += fmt::format("{} {}\n", kServer, server.to_string());
  }
  if (!settings.search.empty()) {
    text += fmt::format("{} {}\n", kSearch, fmt::join(settings.search, " "));
  }
  return text;
}

// Without memory a reload sets once more what is set already: no reason to fail.
void remember(const std::string& interface, const DnsSettings& settings) {
  if (!files::make_run_folder()) return;
  std::ofstream(memory_of(interface)) << text_of(settings);
}

bool is_link_to_resolvectl(const std::string& path) {
  std::error_code none;
  return std::filesystem::canonical(path, none).filename() == "resolvectl";
}

Result<void> run_all(const std::vector<std::vector<std::string>>& commands) {
  for (const std::vector<std::string>& words : commands) {
    if (auto done = run_child(words, words[0]); !done) return done;
  }
  return {};
}

}  // namespace

// systemd's package makes resolvconf a link to resolvectl, which then understands most of what
// resolvconf does, but not all names of interfaces.
std::optional<DnsKeeper> DnsKeeper::find() {
  const auto resolvconf = find_program("resolvconf");
  const bool has_resolvectl = find_program("resolvectl").has_value();
  if (resolvconf && !(has_resolvectl && is_link_to_resolvectl(*resolvconf))) {
    return DnsKeeper(Kind::resolvconf);
  }
  if (has_resolvectl) return DnsKeeper(Kind::resolvectl);
  return std::nullopt;
}

Action DnsKeeper::set(const std::string& interface, const DnsSettings& settings) const {
  if (kind_ == Kind::resolvconf) {
    const std::vector<std::string> words{"resolvconf", "-a", name_at_resolvconf(interface),
                                         "-m",         "0",  "-x"};
    return {fmt::format("{}", fmt::join(words, " ")), [words, interface, settings] {
              auto done = feed_child(words, text_of(settings));
              if (done) remember(interface, settings);
              return done;
            }};
  }
  std::vector<std::string> dns{"resolvectl", "dns", interface};
  for (const IpAddress& server : settings.servers) dns.push_back(server.to_string());
  // All names are asked for here ("~."), as resolvconf's -x has it.
  std::vector<std::string> domain{"resolvectl", "domain", interface, "~."};
  domain.insert(domain.end(), settings.search.begin(), settings.search.end());
  return {fmt::format("{} && {}", fmt::join(dns, " "), fmt::join(domain, " ")),
          [dns, domain, interface, settings] {
            auto done = run_all({dns, domain});
            if (done) remember(interface, settings);
            return done;
          }};
}

Action DnsKeeper::unset(const std::string& interface) const {
  std::vector<std::string> words{"resolvectl", "revert", interface};
  if (kind_ == Kind::resolvconf) {
    words = {"resolvconf", "-d", name_at_resolvconf(interface), "-f"};
  }
  return {fmt::format("{}", fmt::join(words, " ")), [words, interface] {
            forget_dns(interface);
            return run_all({words});
          }};
}

std::optional<DnsSettings> remembered_dns(const std::string& interface) {
  std::ifstream memory(memory_of(interface));
  if (!memory) return std::nullopt;
  DnsSettings settings;
  std::string line;
  while (std::getline(memory, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    const bool is_server = word == kServer;
    while (words >> word) {
      const auto server = is_server ? IpAddress::parse(word) : std::nullopt;
      if (server) settings.servers.push_back(*server);
      if (!is_server) settings.search.push_back(word);
    }
  }
  return settings;
}

void forget_dns(const std::string& interface) {
  std::error_code ignored;
  std::filesystem::remove(memory_of(interface), ignored);
}

}  // namespace ferrule::quick
