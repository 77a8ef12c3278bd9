#include "cli/complete/help_words.h"

#include <algorithm>
#include <utility>

namespace ferrule::cli {

namespace {

bool is_type(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'A' && c <= 'Z') || c == ':' || c == '[' || c == ']' || c == '/';
  });
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

HelpWords::HelpWords(std::string_view page) {
  std::string title;
  bool has_usage = false;
  while (!page.empty()) {
    const std::string_view line = next_line(page);
    const bool is_entry = line.starts_with("  ") && line.size() > 2 && line[2] != ' ';
    if (!has_usage && line.find("Usage: ") == 0) {
      has_usage = true;
      read_usage(line);
    } else if (!is_entry) {
      if (!line.empty() && line[0] != ' ') title = line;
    } else if (title == "Options") {
      read_entry(line.substr(2), false);
    } else if (title != "Examples" && line.find("  ", 3) != line.npos &&
               (title == "Commands" || (line[2] >= 'a' && line[2] <= 'z'))) {
      read_entry(line.substr(2), true);
    }
  }
  // Words of `set` stand in its page as commands do.
  if (!positionals_.empty()) commands_.clear();
}

// "Usage: ferrule peer remove IFACE [NAME...] [OPTION...]".
void HelpWords::read_usage(std::string_view usage) {
  std::vector<std::string> choices;
  bool is_open = false;
  std::size_t at = 0;
  while (at < usage.size()) {
    const std::size_t end = std::min(usage.find(' ', at), usage.size());
    std::string_view word = usage.substr(at, end - at);
    at = end + 1;
    const bool opens = word.starts_with('[') && !word.starts_with("[:");
    const bool closes = word.ends_with(']') && !word.ends_with(":PORT]");
    if (opens) word.remove_prefix(1);
    if (closes) word.remove_suffix(1);
    const bool repeats = word.ends_with("...");
    if (repeats) word.remove_suffix(3);
    if (word == "|" || word.empty()) continue;
    if (word == "OPTION" || word == "COMMAND" || word == "ARGUMENT") {
      is_open = opens && !closes;
      continue;
    }
    if (is_open || is_type(word)) {
      if (!is_open) positionals_.emplace_back();
      positionals_.back().emplace_back(word);
      last_repeats_ = repeats;
    }
    if (opens && !closes) is_open = is_type(word);
    if (closes) is_open = false;
  }
}

// "--out FILE    write its ..." or "-h, --help  print this" or "remove  removes a peer".
void HelpWords::read_entry(std::string_view line, bool is_command) {
  const std::size_t gap = line.find("  ");
  std::string_view head = line.substr(0, gap);
  std::string_view meaning = gap == line.npos ? std::string_view() : line.substr(gap);
  meaning.remove_prefix(std::min(meaning.find_first_not_of(' '), meaning.size()));
  if (head.starts_with("-h, ")) head.remove_prefix(4);
  HelpWord entry;
  const std::size_t end = std::min(head.find_first_of(" ["), head.size());
  entry.word = head.substr(0, end);
  entry.meaning = meaning;
  if (end < head.size() && head[end] == ' ') entry.value = head.substr(end + 1);
  (is_command ? commands_ : options_).push_back(std::move(entry));
}

std::string_view HelpWords::value_of(std::string_view option) const noexcept {
  const auto found = std::ranges::find(options_, option, &HelpWord::word);
  return found == options_.end() ? std::string_view() : found->value;
}

std::string_view HelpWords::positional(std::size_t index) const noexcept {
  if (index >= positionals_.size()) {
    return last_repeats_ && !positionals_.empty() ? positionals_.back().front()
                                                  : std::string_view();
  }
  return positionals_[index].front();
}

std::vector<std::string> HelpWords::choices(std::size_t index) const {
  if (index >= positionals_.size()) return {};
  return {positionals_[index].begin() + 1, positionals_[index].end()};
}

}  // namespace ferrule::cli
