#include "quick/routes.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace ferrule::quick {

namespace {

// As iproute2 reads one: in hex after "0x", in octal after "0".
std::optional<std::uint32_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.starts_with('0')) {
    base = 8;
  }
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> find_in(const std::filesystem::path& file, std::string_view name) {
  std::ifstream lines(file);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string number;
    std::string word;
    if (words >> number >> word && word == name) return parse_number(number);
  }
  return std::nullopt;
}

// The files of iproute2, the administrator's before the distribution's.
std::optional<std::uint32_t> find_name(std::string_view name) {
  if (name == "main") return RT_TABLE_MAIN;
  if (name == "local") return RT_TABLE_LOCAL;
  if (name == "default") return RT_TABLE_DEFAULT;
  for (const std::filesystem::path folder : {"/etc/iproute2", "/usr/share/iproute2"}) {
    if (const auto number = find_in(folder / "rt_tables", name)) return number;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "rt_tables.d", none)) {
      if (entry.path().extension() != ".conf") continue;
      if (const auto number = find_in(entry.path(), name)) return number;
    }
  }
  return std::nullopt;
}

// So that both leave the same: "::/0" comes before "0.0.0.0/0".
void sort_as_wg_quick(std::vector<Cidr>& prefixes) {
  using Keyed = std::pair<std::pair<unsigned, std::string>, Cidr>;
  std::vector<Keyed> keyed;
  keyed.reserve(prefixes.size());
  for (const Cidr& prefix : prefixes) {
    keyed.push_back({{prefix.length(), prefix.to_string()}, prefix});
  }
  std::ranges::sort(keyed, std::greater(), &Keyed::first);
  std::ranges::transform(keyed, prefixes.begin(), &Keyed::second);
}

bool holds(const Cidr& outer, const Cidr& inner) {
  return outer.length() <= inner.length() && outer.contains(inner.address());
}

}  // namespace

std::optional<TableChoice> parse_table(const std::optional<std::string>& text) {
  if (!text || *text == "auto") return TableChoice{};
  if (*text == "off") return TableChoice{TableChoice::Kind::off, 0};
  auto number = parse_number(*text);
  if (!number) number = find_name(*text);
  if (!number) return std::nullopt;
  // For the kernel none is the main one.
  return TableChoice{TableChoice::Kind::number,
                     *number == RT_TABLE_UNSPEC ? RT_TABLE_MAIN : *number};
}

std::vector<Cidr> allowed_ips(const std::vector<protocol::PeerStatus>& peers) {
  std::vector<Cidr> prefixes;
  for (const protocol::PeerStatus& peer : peers) {
    prefixes.insert(prefixes.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
  }
  return prefixes;
}

RoutePlan plan_routes(const TableChoice& table, std::uint32_t interface_index,
                      std::vector<Cidr> prefixes, const std::vector<io::LinkRoute>& present) {
  RoutePlan plan;
  if (table.kind == TableChoice::Kind::off) return plan;
  sort_as_wg_quick(prefixes);
  const auto has_way = [&](const Cidr& prefix) {
    return std::ranges::any_of(present, [&](const io::LinkRoute& route) {
      return route.interface_index == interface_index && route.table == RT_TABLE_MAIN &&
             holds(route.destination, prefix);
    });
  };
  // The kernel makes routes for the interface's own networks.
  const auto is_there = [&](const io::LinkRoute& wanted) {
    return std::ranges::any_of(present, [&](const io::LinkRoute& route) {
      return route.interface_index == wanted.interface_index && route.table == wanted.table &&
             route.destination == wanted.destination;
    });
  };
  for (const Cidr& prefix : prefixes) {
    const io::LinkRoute to_table{prefix, table.number, interface_index};
    if (table.kind == TableChoice::Kind::number) {
      if (!is_there(to_table)) plan.routes.push_back(to_table);
    } else if (prefix.length() == 0) {
      plan.defaults.push_back(prefix.address().family());
    } else if (!has_way(prefix)) {
      plan.routes.push_back({prefix, RT_TABLE_MAIN, interface_index});
    }
  }
  return plan;
}

}  // namespace ferrule::quick
