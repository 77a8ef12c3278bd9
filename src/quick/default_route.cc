#include "quick/default_route.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "quick/leak_protection.h"
#include "quick/record.h"

namespace ferrule::quick {

namespace {

constexpr std::uint32_t kFirstTable = 51820;
constexpr std::uint32_t kMaxTablesTried = 1000;
constexpr const char* kSourceValidMark = "/proc/sys/net/ipv4/conf/all/src_valid_mark";

io::RoutingRule tunnel_rule(Family family, std::uint32_t mark) {
  return {family, mark, true, mark, {}, {}};
}

io::RoutingRule main_table_rule(Family family) { return {family, {}, false, RT_TABLE_MAIN, 0, {}}; }

// The priority below which two rules come first of all, where the kernel would put them too: said, each
// can be taken away again and no other.
constexpr std::uint32_t kLeastFirstPriority = 3;

bool is_at_any_priority(io::RoutingRule rule, const io::RoutingRule& wanted) {
  rule.priority.reset();
  return rule == wanted;
}

bool is_of_tunnel(const io::RoutingRule& rule) {
  return rule.mark && is_at_any_priority(rule, tunnel_rule(rule.family, *rule.mark));
}

// Reverse path filters are to look up what is marked as it is sent: by its mark.
Action set_source_valid_mark(bool value) {
  return {fmt::format("sysctl -q net.ipv4.conf.all.src_valid_mark={}", value ? 1 : 0),
          [value]() -> Result<void> {
            std::ofstream file(kSourceValidMark);
            file << (value ? 1 : 0) << std::flush;
            if (file) return {};
            return std::unexpected(system_error(errno, std::string("write ") + kSourceValidMark));
          }};
}

int setting(const std::filesystem::path& file) {
  std::ifstream stream(file);
  int value = 0;
  return stream >> value ? value : 0;
}

bool source_valid_mark() { return setting(kSourceValidMark) != 0; }

// An interface filters as the stricter of its own setting and that of all says, if that is 1.
bool is_filtered_strictly() {
  const std::filesystem::path folder = "/proc/sys/net/ipv4/conf";
  const int of_all = setting(folder / "all/rp_filter");
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename();
    if (name == "all" || name == "default" || name == "lo") continue;
    if (std::max(of_all, setting(entry.path() / "rp_filter")) == 1) return true;
  }
  return false;
}

// In a container it may be set already, or be nobody's to set: then it matters only to strict filters.
Result<void> have_source_valid_mark(Transaction& transaction) {
  if (source_valid_mark()) return {};
  const auto done = transaction.perform(set_source_valid_mark(true), set_source_valid_mark(false));
  if (done) return {};
  constexpr std::string_view kMend = "docker run --sysctl net.ipv4.conf.all.src_valid_mark=1";
  if (is_filtered_strictly()) {
    return std::unexpected(make_error(
        done.error().code,
        fmt::format("{}; and reverse paths are filtered strictly (rp_filter = 1), so that answers "
                    "would be lost. In a container: {}",
                    done.error().what, kMend)));
  }
  transaction.warn(fmt::format("{}: nothing needs it as long as rp_filter is not 1 ({})",
                               done.error().what, kMend));
  return {};
}

// Marks and tables of rules, of tunnels that are up, and of what is left of those whose daemon has died:
// a kill switch of theirs lets pass what has their mark. A device that does not answer is passed over.
std::set<std::uint32_t> numbers_of_others(io::Network& network, client::DeviceClient& devices,
                                          const std::string& interface) {
  std::set<std::uint32_t> numbers;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto rules = network.rules(family);
    for (const io::RoutingRule& rule : rules ? *rules : std::vector<io::RoutingRule>()) {
      numbers.insert({rule.table, rule.mark.value_or(0)});
    }
  }
  // Rules that an earlier life of this tunnel has left go with it.
  if (const auto own = read_record(interface)) numbers.erase(own->mark);
  for (const std::string& name : recorded_interfaces()) {
    const auto record = name != interface ? read_record(name) : std::nullopt;
    if (record) numbers.insert(record->mark);
  }
  const auto names = devices.list();
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (name == interface) continue;
    if (const auto device = devices.get(name)) numbers.insert(device->fwmark);
  }
  return numbers;
}

}  // namespace

Cidr everything(Family family) { return *Cidr::parse(family == Family::v4 ? "0.0.0.0/0" : "::/0"); }

Result<std::uint32_t> choose_mark(io::Network& network, client::DeviceClient& devices,
                                  const std::string& interface, std::uint32_t device_mark) {
  if (device_mark != 0) return device_mark;
  const std::set<std::uint32_t> others = numbers_of_others(network, devices, interface);
  for (std::uint32_t table = kFirstTable; table < kFirstTable + kMaxTablesTried; ++table) {
    if (others.contains(table)) continue;
    const auto is_used = network.has_routes(table);
    if (!is_used) return std::unexpected(is_used.error());
    if (!*is_used) return table;
  }
  return std::unexpected(
      make_error(EBUSY, fmt::format("no routing table from {} on is free", kFirstTable)));
}

bool is_chosen_mark(std::uint32_t mark) noexcept {
  return mark >= kFirstTable && mark - kFirstTable < kMaxTablesTried;
}

Action set_mark(client::DeviceClient& devices, const std::string& interface, std::uint32_t mark) {
  return {fmt::format("wg set {} fwmark {}", interface, mark), [&devices, interface, mark] {
            protocol::DeviceChange change;
            change.fwmark = mark;
            return devices.set(interface, change);
          }};
}

Result<void> add_default_route(Transaction& transaction, const LinkActions& link, Family family,
                               std::uint32_t mark, const std::vector<io::LinkAddress>& addresses,
                               const std::vector<std::uint32_t>& passed_over) {
  const io::LinkRoute route{everything(family), mark, link.index()};
  if (auto done = transaction.perform(link.add_route(route), link.delete_route(route)); !done) {
    return done;
  }
  const auto first = link.network().first_rule_priority(family, passed_over);
  if (!first) return std::unexpected(first.error());
  io::RoutingRule rule = tunnel_rule(family, mark);
  rule.priority = std::max(*first, kLeastFirstPriority) - 1;
  if (auto done = transaction.perform(link.add_rule(rule), link.delete_rule(rule)); !done) {
    return done;
  }
  io::RoutingRule shared = main_table_rule(family);
  shared.priority = *rule.priority - 1;
  if (auto done = transaction.perform(link.add_rule(shared), link.delete_rule(shared)); !done) {
    return done;
  }
  if (family == Family::v4) {
    if (auto done = have_source_valid_mark(transaction); !done) return done;
  }
  // What protects must not keep from working: there are kernels without nf_tables, or without fib.
  const auto done = protect_from_leaks(transaction, {link.name(), family, mark, addresses});
  if (!done) transaction.warn(done.error().what);
  return {};
}

std::vector<io::RoutingRule> rules_of_tunnel(io::Network& network, std::uint32_t mark) {
  std::vector<io::RoutingRule> all;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto rules = mark != 0 ? network.rules(family) : std::vector<io::RoutingRule>();
    if (!rules) continue;
    std::ranges::move(rules_to_delete(*rules, mark), std::back_inserter(all));
  }
  return all;
}

// Each tunnel has a rule for the main table right before its own.
std::vector<io::RoutingRule> rules_to_delete(const std::vector<io::RoutingRule>& rules,
                                             std::uint32_t mark) {
  std::vector<io::RoutingRule> doomed;
  const io::RoutingRule* shared = nullptr;
  for (const io::RoutingRule& rule : rules) {
    if (is_at_any_priority(rule, main_table_rule(rule.family))) {
      shared = &rule;
    } else if (is_of_tunnel(rule)) {
      const io::RoutingRule* before = std::exchange(shared, nullptr);
      if (rule.mark != mark) continue;
      doomed.push_back(rule);
      if (before != nullptr) doomed.push_back(*before);
    }
  }
  return doomed;
}

}  // namespace ferrule::quick
