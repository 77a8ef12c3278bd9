#include "control/line_changes.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "control/conf_document.h"
#include "control/hidden_keys.h"

namespace ferrule::control {

namespace {

// Every line of one text is compared with every one of the other.
constexpr std::size_t kMaxCompared = 1000;

using Lines = std::span<const std::string_view>;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// A public key tells whose peer it is, and is nobody's secret.
std::string shown(std::string_view line) {
  std::string_view key = line.substr(0, line.find('='));
  if (key.starts_with("#~")) key.remove_prefix(2);
  return is_named(trimmed(key), "PublicKey") ? std::string(line) : without_keys(line);
}

void add_all(Lines lines, bool is_added, std::vector<LineChange>& changes) {
  for (const std::string_view line : lines) changes.push_back({is_added, shown(line)});
}

// By the longest common subsequence.
void compare(Lines before, Lines after, std::vector<LineChange>& changes) {
  const std::size_t width = after.size() + 1;
  std::vector<std::uint16_t> common((before.size() + 1) * width);  // from there to the ends
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      common[i * width + j] =
          before[i] == after[j] ? static_cast<std::uint16_t>(common[(i + 1) * width + j + 1] + 1)
                                : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() && j < after.size()) {
    if (before[i] == after[j]) {
      ++i;
      ++j;
    } else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) {
      add_all(before.subspan(i++, 1), false, changes);
    } else {
      add_all(after.subspan(j++, 1), true, changes);
    }
  }
  add_all(before.subspan(i), false, changes);
  add_all(after.subspan(j), true, changes);
}

}  // namespace

std::vector<LineChange> line_changes(std::string_view before, std::string_view after) {
  const auto lines_before = lines_of(before);
  const auto lines_after = lines_of(after);
  Lines old = lines_before;
  Lines now = lines_after;
  while (!old.empty() && !now.empty() && old.front() == now.front()) {
    old = old.subspan(1);
    now = now.subspan(1);
  }
  while (!old.empty() && !now.empty() && old.back() == now.back()) {
    old = old.first(old.size() - 1);
    now = now.first(now.size() - 1);
  }
  std::vector<LineChange> changes;
  if (old.size() <= kMaxCompared && now.size() <= kMaxCompared) {
    compare(old, now, changes);
  } else {
    add_all(old, false, changes);
    add_all(now, true, changes);
  }
  return changes;
}

}  // namespace ferrule::control
