#include "cli/quick/dns.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>

#include "cli/quick/child.h"

namespace ferrule::cli {

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

Action run_words(std::vector<std::string> words) {
  std::string shown = fmt::format("{}", fmt::join(words, " "));
  return {std::move(shown), [words = std::move(words)] { return run_child(words, words[0]); }};
}

}  // namespace

std::optional<DnsKeeper> DnsKeeper::find() {
  if (find_program("resolvconf")) return DnsKeeper(Kind::resolvconf);
  if (find_program("resolvectl")) return DnsKeeper(Kind::resolvectl);
  return std::nullopt;
}

Action DnsKeeper::set(const std::string& interface, const std::vector<IpAddress>& servers,
                      const std::vector<std::string>& search) const {
  if (kind_ == Kind::resolvconf) {
    std::string input;
    for (const IpAddress& server : servers) input += "nameserver " + server.to_string() + '\n';
    if (!search.empty()) input += fmt::format("search {}\n", fmt::join(search, " "));
    const std::vector<std::string> words{"resolvconf", "-a", name_at_resolvconf(interface),
                                         "-m",         "0",  "-x"};
    return {fmt::format("{}", fmt::join(words, " ")),
            [words, input] { return feed_child(words, input); }};
  }
  std::vector<std::string> dns{"resolvectl", "dns", interface};
  for (const IpAddress& server : servers) dns.push_back(server.to_string());
  // All names are asked for here ("~."), as resolvconf's -x has it.
  std::vector<std::string> domain{"resolvectl", "domain", interface, "~."};
  domain.insert(domain.end(), search.begin(), search.end());
  std::string shown = fmt::format("{} && {}", fmt::join(dns, " "), fmt::join(domain, " "));
  return {std::move(shown), [dns = std::move(dns), domain = std::move(domain)] {
            const auto done = run_child(dns, dns[0]);
            return done ? run_child(domain, domain[0]) : done;
          }};
}

Action DnsKeeper::unset(const std::string& interface) const {
  if (kind_ == Kind::resolvconf) {
    return run_words({"resolvconf", "-d", name_at_resolvconf(interface), "-f"});
  }
  return run_words({"resolvectl", "revert", interface});
}

}  // namespace ferrule::cli
