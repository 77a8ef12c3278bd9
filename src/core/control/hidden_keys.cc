#include "control/hidden_keys.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/key_text.h"
#include "base/utf8.h"
#include "control/conf_document.h"

namespace ferrule::control {

namespace {

constexpr std::size_t kShortestRun = 20;
constexpr std::size_t kLongestPiece = 2;  // of a key letter by letter
constexpr std::size_t kLongestGap = 4;    // in bytes: one character of any kind
// A key with letters missing or added is one still.
constexpr std::size_t kLeastKey = kKeyBase64Size - 4;
constexpr std::size_t kMostKey = kKeyBase64Size + 4;

bool is_base64(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}
bool may_be_in_a_key(char c) { return is_base64(c) || c == '='; }

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_text(std::string_view line) {
  return std::ranges::none_of(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' && !is_conf_space(c); });
}

// Marks of a line: which of its bytes are hidden.
class Mask {
 public:
  explicit Mask(std::string_view line) : line_(line), is_hidden_(line.size()) {}

  void hide(std::size_t begin, std::size_t end) {
    std::fill(is_hidden_.begin() + static_cast<std::ptrdiff_t>(begin),
              is_hidden_.begin() + static_cast<std::ptrdiff_t>(end), true);
  }

  // Runs of what `is_part` takes, each to be judged by its extent.
  template <class Judge>
  void for_each_run(bool (*is_part)(char), Judge judge) const {
    for (std::size_t begin = 0; begin < line_.size();) {
      std::size_t end = begin;
      while (end < line_.size() && is_part(line_[end])) ++end;
      if (end > begin) judge(begin, end);
      begin = end + 1;
    }
  }

  // Letters one by one, with something between: a key in UTF-16 that somebody has converted badly.
  void hide_pieces() {
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t letters = 0;
    const auto close = [&] {
      if (letters >= kShortestRun) hide(first, last);
      letters = 0;
    };
    for_each_run(may_be_in_a_key, [&](std::size_t begin, std::size_t end) {
      if (end - begin > kLongestPiece || (letters > 0 && begin - last > kLongestGap)) close();
      if (end - begin > kLongestPiece) return;
      if (letters == 0) first = begin;
      letters += end - begin;
      last = end;
    });
    close();
  }

  // All from `from` on, where it is a key with white space in it, which wg allows.
  void hide_if_spaced_key(std::size_t from) {
    std::size_t letters = 0;
    for (std::size_t i = from; i < line_.size() && line_[i] != '#'; ++i) {
      const char c = line_[i];
      const bool separates =
          is_conf_space(c) || static_cast<unsigned char>(c) >= 0x80 || c == '"' || c == '\'';
      if (!may_be_in_a_key(c) && !separates) return;
      letters += may_be_in_a_key(c) ? 1 : 0;
    }
    if (letters >= kLeastKey && letters <= kMostKey) hide(from, line_.size());
  }

  // The line with stars for what is hidden, and a question mark or a space for each byte that a
  // terminal would not draw.
  [[nodiscard]] std::string shown() const {
    std::string shown;
    std::string_view left = line_;
    while (!left.empty()) {
      const auto next = first_character(left);
      const std::size_t size = next ? next->size : 1;
      const bool is_hidden = is_hidden_[line_.size() - left.size()];
      if (is_hidden) {
        shown.append(size, '*');
      } else if (left.front() < ' ' && static_cast<unsigned char>(left.front()) < 0x80) {
        shown += ' ';  // a tab would move the caret
      } else if (next && is_printable(next->code) && next->code != 0xFEFF) {
        shown += left.substr(0, size);
      } else {
        shown.append(size, left.front() == 0x7f ? ' ' : '?');
      }
      left.remove_prefix(size);
    }
    return shown;
  }

 private:
  std::string_view line_;
  std::vector<bool> is_hidden_;
};

}  // namespace

std::string without_keys(std::string_view line, std::size_t secret_from) {
  if (!is_text(line)) return "";
  Mask mask(line);
  mask.for_each_run(may_be_in_a_key, [&](std::size_t begin, std::size_t end) {
    if (end - begin >= kShortestRun) mask.hide(begin, end);
  });
  mask.hide_pieces();
  // A value, what stands behind a first word, or all of it.
  for (const std::size_t mark : {line.find_first_of("=:"), line.find_first_of(" \t")}) {
    if (mark != line.npos) mask.hide_if_spaced_key(mark + 1);
  }
  mask.hide_if_spaced_key(0);
  if (secret_from < line.size()) mask.hide(secret_from, line.size());
  return mask.shown();
}

std::string command_without_keys(std::string_view command) {
  Mask mask(command);
  mask.for_each_run(is_base64, [&](std::size_t begin, std::size_t end) {
    const bool is_padded = end < command.size() && command[end] == '=';
    const std::size_t size = end - begin;
    if (is_padded && size >= kKeyBase64Size - 1) {
      mask.hide(end + 1 - kKeyBase64Size, end + 1);
    } else if (size == kKeyBase64Size - 1) {
      mask.hide(begin, end);
    }
  });
  mask.for_each_run(is_hex, [&](std::size_t begin, std::size_t end) {
    if (end - begin == kKeyHexSize) mask.hide(begin, end);
  });
  mask.hide_pieces();
  return mask.shown();
}

}  // namespace ferrule::control
