#include "cli/import/ini.h"

#include <algorithm>

#include "control/conf_document.h"

namespace ferrule::cli {

using control::trimmed;

bool is_same_word(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view IniSection::value(std::string_view key) const noexcept {
  std::string_view found;
  for (const auto& [word, value_of_it] : entries) {
    if (is_same_word(word, key)) found = value_of_it;
  }
  return found;
}

std::vector<std::string_view> IniSection::values(std::string_view key) const {
  std::vector<std::string_view> found;
  for (const auto& [word, value_of_it] : entries) {
    if (is_same_word(word, key)) found.push_back(value_of_it);
  }
  return found;
}

std::vector<IniSection> read_ini(std::string_view text) {
  std::vector<IniSection> sections;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line.front() == '[' && line.back() == ']') {
      sections.push_back({line.substr(1, line.size() - 2), {}});
      continue;
    }
    const std::size_t equals = line.find('=');
    if (sections.empty() || equals == line.npos) continue;
    sections.back().entries.emplace_back(trimmed(line.substr(0, equals)),
                                         trimmed(line.substr(equals + 1)));
  }
  return sections;
}

}  // namespace ferrule::cli
