#include "control/conf_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "control/foreign_text.h"
#include "control/foreign_words.h"
#include "control/hidden_keys.h"
#include "control/near_miss.h"

namespace ferrule::control {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::array<std::string_view, 2> kSectionNames{"[Interface]", "[Peer]"};
constexpr std::array<std::string_view, 2> kSecrets{"PrivateKey", "PresharedKey"};
constexpr std::array<std::string_view, 4> kCommands{"PreUp", "PostUp", "PreDown", "PostDown"};

// Each with its line break; the last one may have none.
std::vector<WipedText> lines_of(std::string_view text) {
  std::vector<WipedText> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size = end == text.npos ? text.size() : end + 1;
    lines.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

bool is_any_of(std::string_view written, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view name) { return is_named(written, name); });
}

// Where the value of a secret begins in a line, be it in a comment.
std::size_t secret_in(std::string_view line) {
  const std::size_t begin = line.find_first_not_of("#~ \t");
  const std::size_t equals = line.find('=');
  if (begin == line.npos || equals == line.npos || equals < begin) return line.npos;
  return is_any_of(line.substr(begin, equals - begin), kSecrets) ? equals + 1 : line.npos;
}

}  // namespace

bool is_conf_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_conf_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_conf_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_command(std::string_view written) noexcept { return is_any_of(written, kCommands); }

bool is_named(std::string_view written, std::string_view name) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; };
  std::size_t at = 0;
  for (char c : written) {
    if (is_conf_space(c)) continue;
    if (at == name.size() || lower(c) != lower(name[at])) return false;
    ++at;
  }
  return at == name.size();
}

ConfDocument::ConfDocument(std::string file, std::string_view text)
    : file_(std::move(file)), lines_(lines_of(text)), no_text_(why_no_text(text, file_)) {
  find_sections();
}

std::string_view ConfDocument::line(std::size_t index) const noexcept {
  std::string_view text = lines_[index].view();
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

WipedText ConfDocument::text() const {
  std::size_t size = 0;
  for (const WipedText& line : lines_) size += line.size();
  WipedText text;
  text.reserve(size);
  for (const WipedText& line : lines_) text.append(line.view());
  return text;
}

void ConfDocument::insert_lines(std::size_t index, std::string_view text) {
  FERRULE_CHECK(index <= lines_.size());
  if (index > 0 && !lines_[index - 1].view().ends_with('\n')) lines_[index - 1].append("\n");
  std::vector<WipedText> added = lines_of(text);
  if (!added.empty() && index < lines_.size() && !added.back().view().ends_with('\n')) {
    added.back().append("\n");
  }
  lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(index),
                std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  find_sections();
}

void ConfDocument::erase_lines(std::size_t first, std::size_t count) {
  FERRULE_CHECK(first <= lines_.size() && count <= lines_.size() - first);
  const auto begin = lines_.begin() + static_cast<std::ptrdiff_t>(first);
  lines_.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  find_sections();
}

void ConfDocument::find_sections() {
  sections_.clear();
  errors_.clear();
  skips_section_ = false;
  if (no_text_) {
    errors_.push_back({file_, 1, 1, 0, *no_text_, ""});
    return;
  }
  for (std::size_t index = 0; index < lines_.size(); ++index) read_line(index);
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const bool last = i + 1 == sections_.size();
    sections_[i].end_line = last ? lines_.size() : sections_[i + 1].header_line;
  }
}

void ConfDocument::read_line(std::size_t index) {
  const std::string_view whole = line(index);
  std::string_view text = whole;
  if (index == 0 && whole.starts_with(kByteOrderMark)) {
    errors_.push_back(
        error_at(index, whole.substr(0, kByteOrderMark.size()),
                 "a byte order mark: no WireGuard tool reads a file with one; save it "
                 "as UTF-8 without"));
    text.remove_prefix(kByteOrderMark.size());
  }
  const std::string_view content = trimmed(text.substr(0, text.find('#')));
  if (content.empty()) return;
  if (content.starts_with('[')) return begin_section(index, content);
  if (skips_section_) return;
  if (const std::string_view mark = foreign_comment(content); !mark.empty()) {
    errors_.push_back(error_at(index, content.substr(0, mark.size()),
                               fmt::format("`{}' begins no comment here: `#' does", mark)));
    return;
  }

  const std::size_t equals = content.find('=');
  const std::string_view key = trimmed(content.substr(0, equals));
  if (find_odd_spaces(index, is_command(key) ? key : content))
    return read_oddly_spaced(content, index);
  if (equals == content.npos || key.empty()) {
    errors_.push_back(error_at(index, content, "expected `key = value', or a section like [Peer]"));
  } else if (sections_.empty()) {
    errors_.push_back(error_at(
        index, key, fmt::format("{} stands before any [Interface] or [Peer]", without_keys(key))));
  } else {
    sections_.back().entries.push_back({key, trimmed(content.substr(equals + 1)), index});
  }
}

bool ConfDocument::find_odd_spaces(std::size_t index, std::string_view content) {
  const auto space = find_odd_space(content);
  if (space) {
    errors_.push_back(
        error_at(index, content.substr(space->at, space->size), odd_space_message(*space)));
  }
  return space.has_value();
}

// What is meant is known where such characters stand around a key or value: then the line has no other
// mistake.
void ConfDocument::read_oddly_spaced(std::string_view content, std::size_t index) {
  const std::size_t equals = content.find('=');
  if (sections_.empty() || equals == content.npos) return;
  const std::string_view key = trimmed_of_odd_spaces(content.substr(0, equals));
  const std::string_view value = trimmed_of_odd_spaces(content.substr(equals + 1));
  if (key.empty() || find_odd_space(key) || find_odd_space(value)) return;
  sections_.back().entries.push_back({key, value, index});
}

void ConfDocument::begin_section(std::size_t index, std::string_view name) {
  if (find_odd_spaces(index, name)) name = name.substr(0, name.find(']') + 1);
  skips_section_ = false;
  if (is_named(name, kSectionNames[0])) {
    sections_.push_back({ConfSectionKind::interface, index, 0, {}});
  } else if (is_named(name, kSectionNames[1])) {
    sections_.push_back({ConfSectionKind::peer, index, 0, {}});
  } else {
    skips_section_ = true;
    if (auto foreign = foreign_section(name)) {
      const bool is_told = std::ranges::any_of(
          errors_, [&](const ConfError& error) { return error.message == foreign->what; });
      if (!is_told) errors_.push_back(error_at(index, name, std::move(foreign->what)));
      return;
    }
    const auto meant = nearest(name, kSectionNames);
    errors_.push_back(error_at(index, name,
                               meant
                                   ? fmt::format("not a section; did you mean {}?", *meant)
                                   : std::string("not a section; expected [Interface] or [Peer]")));
  }
}

ConfError ConfDocument::error_at(std::size_t index, std::string_view part,
                                 std::string message) const {
  const std::string_view whole = line(index);
  const auto column = static_cast<std::size_t>(part.data() - whole.data());
  return {file_,       index + 1,          column + 1,
          part.size(), std::move(message), without_keys(whole, secret_in(whole))};
}

}  // namespace ferrule::control
