#include "diagnosis/firewall.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "control/conf_document.h"
#include "io/linux/fd.h"

extern char** environ;

namespace ferrule::diagnosis {

namespace {

// Whether the words stand in `text` as words.
bool has_words(std::string_view text, std::string_view words) {
  const auto ends_word = [](char c) { return c == ' ' || c == ',' || c == '}' || c == '{'; };
  for (std::size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    const bool is_begin = at == 0 || ends_word(text[at - 1]);
    if (is_begin && (end == text.size() || ends_word(text[end]))) return true;
  }
  return false;
}

bool is_port_rule(std::string_view rule, std::uint16_t port) {
  return port != 0 && has_words(rule, "udp") && has_words(rule, std::to_string(port));
}

// A chain being read.
struct Chain {
  std::string table;
  std::string name;
  bool drops_by_default = false;  // of what comes in
  bool accepts_port = false;
};

}  // namespace

std::vector<FirewallRule> suspicious_rules(std::string_view ruleset, std::string_view interface,
                                           std::uint16_t port) {
  std::vector<FirewallRule> found;
  const std::string own_name = '"' + std::string(interface) + '"';
  const std::string own_table = "wg-quick-" + std::string(interface);
  Chain chain;
  while (!ruleset.empty()) {
    const std::size_t end = std::min(ruleset.find('\n'), ruleset.size());
    const std::string_view line = control::trimmed(ruleset.substr(0, end));
    ruleset.remove_prefix(std::min(end + 1, ruleset.size()));
    if (line.starts_with("table ") && line.ends_with(" {")) {
      chain.table = line.substr(6, line.size() - 8);
    } else if (line.starts_with("chain ") && line.ends_with(" {")) {
      chain = {std::move(chain.table), std::string(line.substr(6, line.size() - 8))};
    } else if (line.starts_with("type ")) {
      chain.drops_by_default = has_words(line, "hook input") && line.ends_with("policy drop;");
    } else if (line == "}") {
      if (chain.drops_by_default && !chain.accepts_port) {
        found.push_back({chain.table, chain.name, "policy drop, and no rule names the port"});
      }
      chain.drops_by_default = false;
    } else if (has_words(line, "drop") || has_words(line, "reject")) {
      // wg-quick's own table keeps what is not for the tunnel out of it.
      const bool is_ours = has_words(line, own_name) || is_port_rule(line, port);
      if (is_ours && !chain.table.ends_with(own_table)) {
        found.push_back({chain.table, chain.name, std::string(line)});
      }
    } else if (has_words(line, "accept") && is_port_rule(line, port)) {
      chain.accepts_port = true;
    }
  }
  return found;
}

std::string list_ruleset() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const io::UniqueFd from(ends[0]);
  io::UniqueFd to(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = "nft";
  std::string list = "list";
  std::string ruleset = "ruleset";
  std::array<char*, 4> words{program.data(), list.data(), ruleset.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, "nft", &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  to.reset();
  if (error != 0) return {};
  std::string text;
  std::array<char, 4096> piece;
  while (true) {
    const ssize_t got = read(from.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  waitpid(pid, nullptr, 0);
  return text;
}

}  // namespace ferrule::diagnosis
