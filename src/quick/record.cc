#include "quick/record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <utility>

#include "base/key_text.h"
#include "control/conf_configuration.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "files/lock.h"

namespace ferrule::quick {

namespace {

constexpr std::string_view kFirstLine = "ferrule 1";
constexpr std::string_view kConfLine = "conf";
constexpr std::string_view kSuffix = ".up";

std::string path_of(const std::string& interface) {
  return io::run_file(interface, std::string(kSuffix));
}

std::string rule_text(const io::RoutingRule& rule) {
  std::string text = fmt::format("rule {} table {}", rule.family == Family::v4 ? 4 : 6, rule.table);
  if (rule.priority) text += fmt::format(" priority {}", *rule.priority);
  if (rule.mark) text += fmt::format(" mark {}", *rule.mark);
  if (rule.is_inverted) text += " not 1";
  if (rule.suppressed_prefix_length) {
    text += fmt::format(" suppress {}", *rule.suppressed_prefix_length);
  }
  return text;
}

// The words behind "rule".
std::optional<io::RoutingRule> parse_rule(std::istringstream& words) {
  int family = 0;
  if (!(words >> family)) return std::nullopt;
  io::RoutingRule rule{family == 4 ? Family::v4 : Family::v6, {}, false, 0, {}, {}};
  std::string name;
  std::uint32_t value = 0;
  while (words >> name >> value) {
    if (name == "table") rule.table = value;
    if (name == "priority") rule.priority = value;
    if (name == "mark") rule.mark = value;
    if (name == "not") rule.is_inverted = value != 0;
    if (name == "suppress") rule.suppressed_prefix_length = value;
  }
  return rule;
}

// The words behind "saved".
void parse_saved(std::istringstream& words, std::map<PublicKey, control::HostPort>& saved) {
  std::string text;
  control::HostPort at;
  if (!(words >> text >> at.host >> at.service)) return;
  if (const auto key = public_key_from_base64(text)) saved.insert_or_assign(*key, at);
}

}  // namespace

control::WipedText record_text(const UpRecord& record) {
  std::string head =
      fmt::format("{}\nlink {}\nmark {}\n", kFirstLine, record.link_index, record.mark);
  // A path with a line break can't be kept; then it is another file's.
  if (record.path.find('\n') == record.path.npos) head += "path " + record.path + '\n';
  if (record.port != 0) head += fmt::format("port {}\n", record.port);
  for (const Family family : record.forwarded) {
    head += fmt::format("forwarded {}\n", family == Family::v4 ? 4 : 6);
  }
  for (const io::RoutingRule& rule : record.rules) head += rule_text(rule) + '\n';
  for (const auto& [key, at] : record.saved) {
    head += fmt::format("saved {} {} {}\n", to_base64(key), at.host, at.service);
  }
  control::WipedText text(fmt::format("{}{}\n", head, kConfLine));
  text.append(record.conf.view());
  return text;
}

std::optional<UpRecord> parse_record(std::string_view text) {
  UpRecord record;
  bool is_first = true;
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    const std::string line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (std::exchange(is_first, false)) {
      if (line != kFirstLine) return std::nullopt;
      continue;
    }
    if (line == kConfLine) break;
    if (line.starts_with("path ")) record.path = line.substr(5);
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "link") words >> record.link_index;
    if (name == "mark") words >> record.mark;
    if (name == "port") words >> record.port;
    if (name == "saved") parse_saved(words, record.saved);
    if (int family = 0; name == "forwarded" && words >> family) {
      record.forwarded.push_back(family == 4 ? Family::v4 : Family::v6);
    }
    if (name != "rule") continue;
    if (const auto rule = parse_rule(words)) record.rules.push_back(*rule);
  }
  record.conf.append(text);
  return record;
}

Result<void> write_record(const std::string& interface, const UpRecord& record) {
  if (auto made = files::make_run_folder(); !made) return made;
  auto staged = files::StagedFile::write(path_of(interface), record_text(record));
  if (!staged) return std::unexpected(staged.error());
  return staged->commit();
}

std::optional<UpRecord> read_record(const std::string& interface) {
  if (!files::make_run_folder()) return std::nullopt;
  const auto text = files::read_file(path_of(interface));
  return text ? parse_record(text->view()) : std::nullopt;
}

void forget_record(const std::string& interface) { unlink(path_of(interface).c_str()); }

std::vector<std::string> recorded_interfaces() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(files::kRunFolder, none)) {
    const std::string name = entry.path().filename();
    // A file that has just been written has letters behind its name.
    const std::size_t dash = name.find('-');
    if (dash == name.npos || !name.ends_with(kSuffix)) continue;
    std::string interface = name.substr(dash + 1, name.size() - kSuffix.size() - dash - 1);
    if (path_of(interface) == entry.path()) names.push_back(std::move(interface));
  }
  return names;
}

std::multimap<PublicKey, control::HostPort> known_endpoints(const UpRecord& record) {
  std::multimap<PublicKey, control::HostPort> known(record.saved.begin(), record.saved.end());
  const control::ConfDocument document(record.path, record.conf.view());
  const auto conf = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!conf) return known;
  for (const control::PeerConf& peer : conf->peers) {
    if (peer.endpoint) known.emplace(peer.public_key, *peer.endpoint);
  }
  return known;
}

}  // namespace ferrule::quick
