#include "quick/iptables.h"

#include <fmt/format.h>

#include <fstream>
#include <string_view>
#include <utility>

#include "quick/child.h"
#include "quick/nftables.h"

namespace ferrule::quick {

namespace {

// Others that hold the lock have it no longer than that.
constexpr const char* kLockPatienceSeconds = "5";

std::string carrying(std::string_view comment) {
  return fmt::format("-m comment --comment \"{}\"", comment);
}

// Of what iptables-save prints: lines that take away each rule of the comment.
IptablesRules deletions(std::string_view saved, std::string_view comment) {
  IptablesRules gone;
  std::string table;
  while (!saved.empty()) {
    const std::string_view line = saved.substr(0, saved.find('\n'));
    saved.remove_prefix(std::min(line.size() + 1, saved.size()));
    if (line.starts_with('*')) table = line.substr(1);
    if (!line.starts_with("-A ") || line.find(carrying(comment)) == line.npos) continue;
    gone[table] += fmt::format("-D {}\n", line.substr(3));
  }
  return gone;
}

// Tables that the kernel has loaded for the old interface.
bool is_loaded(Family family, std::string_view table) {
  std::ifstream names(family == Family::v4 ? "/proc/net/ip_tables_names"
                                           : "/proc/net/ip6_tables_names");
  for (std::string name; std::getline(names, name);) {
    if (name == table) return true;
  }
  return false;
}

bool can_have_rules(Iptables kind, Family family) {
  if (!is_here(kind, family)) return false;
  if (kind == Iptables::legacy) return is_loaded(family, "mangle");
  if (has_nft_table(family == Family::v4 ? "ip mangle" : "ip6 mangle")) return true;
  return !is_here(Iptables::legacy, family) && is_loaded(family, "mangle");
}

Result<void> restore(const std::string& program, const std::string& comment,
                     const IptablesRules& rules, bool is_trial) {
  const auto saved = ask_child({program + "-save"});
  if (!saved) return std::unexpected(saved.error());
  IptablesRules wanted = deletions(*saved, comment);
  for (const auto& [table, lines] : rules) wanted[table] += lines;
  std::string text;
  for (const auto& [table, lines] : wanted) text += fmt::format("*{}\n{}COMMIT\n", table, lines);
  std::vector<std::string> words{program + "-restore", "-w", kLockPatienceSeconds, "-n"};
  if (is_trial) words.emplace_back("--test");
  const auto done = ask_child(words, text);
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace

std::string name_of(Iptables kind, Family family) {
  return fmt::format("{}{}", family == Family::v4 ? "iptables" : "ip6tables",
                     kind == Iptables::legacy ? "-legacy" : "");
}

bool is_here(Iptables kind, Family family) {
  const std::string name = name_of(kind, family);
  return find_program(name + "-restore") && find_program(name + "-save");
}

Action iptables_action(Iptables kind, Family family, std::string comment, IptablesRules rules) {
  const std::string program = name_of(kind, family);
  std::string shown = fmt::format("{}-restore -n # {} \"{}\"", program,
                                  rules.empty() ? "no more rules of" : "rules of", comment);
  const auto step = [=](bool is_trial) {
    return [=] { return restore(program, comment, rules, is_trial); };
  };
  return {std::move(shown), step(false), step(true)};
}

bool has_iptables_rules(Iptables kind, Family family, const std::string& comment) {
  if (!can_have_rules(kind, family)) return false;
  const auto saved = ask_child({name_of(kind, family) + "-save", "-t", "mangle"});
  return saved && !deletions(*saved, comment).empty();
}

}  // namespace ferrule::quick
