#include "control/foreign_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "control/conf_document.h"

namespace ferrule::control {

namespace {

constexpr std::string_view kMarkLittleEndian = "\xff\xfe";
constexpr std::string_view kMarkBigEndian = "\xfe\xff";
constexpr char kLatin1NoBreakSpace = '\xa0';

bool is_odd_space(char32_t code) {
  return code == 0xA0 || code == 0xAD || code == 0x1680 || code == 0x180E ||
         (code >= 0x2000 && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
         (code >= 0x205F && code <= 0x2064) || code == 0x3000 || code == 0xFEFF;
}

std::optional<OddSpace> odd_space_at(std::string_view text, std::size_t at) {
  const auto next = first_character(text.substr(at));
  if (!next && text[at] == kLatin1NoBreakSpace) return OddSpace{at, 1, "U+00A0 in Latin-1"};
  if (!next || !is_odd_space(next->code)) return std::nullopt;
  return OddSpace{at, next->size, fmt::format("U+{:04X}", static_cast<unsigned>(next->code))};
}

// Of text in Western languages every other byte is zero.
bool looks_like_utf16(std::string_view text) {
  if (text.starts_with(kMarkLittleEndian) || text.starts_with(kMarkBigEndian)) return true;
  const auto zeros = static_cast<std::size_t>(std::ranges::count(text, '\0'));
  return 3 * zeros >= text.size();
}

}  // namespace

std::optional<std::string> why_no_text(std::string_view text, std::string_view file) {
  const bool has_mark = text.starts_with(kMarkLittleEndian) || text.starts_with(kMarkBigEndian);
  const bool has_zero = text.find('\0') != text.npos;
  if (has_mark || (has_zero && looks_like_utf16(text))) {
    return fmt::format(
        "this file is in UTF-16, as PowerShell's `>' and old editors write it: no WireGuard tool "
        "reads it. Save it as UTF-8, or: iconv -f UTF-16{} -t UTF-8 {} > NEW.conf",
        has_mark               ? ""
        : text.front() == '\0' ? "BE"
                               : "LE",
        file);
  }
  if (has_zero) return "there is a zero byte in this file: it is no text";
  const bool has_inner_return =
      text.substr(0, text.empty() ? 0 : text.size() - 1).find('\r') != text.npos;
  if (has_inner_return && text.find('\n') == text.npos) {
    return fmt::format(
        "lines of this file end with a carriage return alone, as on old Macs: for WireGuard it is "
        "one line. tr '\\r' '\\n' < {} > NEW.conf",
        file);
  }
  return std::nullopt;
}

std::optional<OddSpace> find_odd_space(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {  // as nearly all there is
      ++at;
      continue;
    }
    if (auto space = odd_space_at(text, at)) return space;
    const auto next = first_character(text.substr(at));
    at += next ? next->size : 1;
  }
  return std::nullopt;
}

std::string_view trimmed_of_odd_spaces(std::string_view text) {
  std::optional<std::size_t> begin;
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto odd = odd_space_at(text, at);
    const auto next = first_character(text.substr(at));
    const std::size_t size = odd ? odd->size : next ? next->size : 1;
    if (!odd && !is_conf_space(text[at])) {
      if (!begin) begin = at;
      end = at + size;
    }
    at += size;
  }
  return begin ? text.substr(*begin, end - *begin) : text.substr(0, 0);
}

std::string odd_space_message(const OddSpace& space) {
  return fmt::format(
      "here stands a character that looks like a space, or like nothing, and is none ({}): type "
      "this line anew",
      space.name);
}

std::string_view foreign_comment(std::string_view line) noexcept {
  if (line.starts_with(';')) return ";";
  return line.starts_with("//") ? "//" : "";
}

}  // namespace ferrule::control
