#include "control/conf_error.h"

#include <fmt/format.h>

#include <algorithm>

namespace ferrule::control {

namespace {

constexpr std::size_t kShortestKeyRun = 20;
constexpr std::size_t kLongestShownLine = 120;

bool may_be_in_a_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/' || c == '=';
}

}  // namespace

std::string without_keys(std::string_view line, std::size_t secret_from) {
  std::string shown(line);
  for (std::size_t begin = 0; begin < shown.size();) {
    std::size_t end = begin;
    while (end < shown.size() && may_be_in_a_key(shown[end])) ++end;
    if (end - begin >= kShortestKeyRun) std::fill(&shown[begin], &shown[end], '*');
    begin = end + 1;
  }
  for (std::size_t i = secret_from; i < shown.size(); ++i) shown[i] = '*';
  // A tab would move the caret, and a control character could do anything.
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  return shown;
}

std::string ConfError::to_string() const {
  std::string text = fmt::format("{}:{}:{}: {}\n", file, line, column, message);
  // A very long line is shown from a little before the place that it is about.
  const std::size_t place = column - 1;
  const std::size_t begin = place > kLongestShownLine / 2 ? place - kLongestShownLine / 4 : 0;
  if (begin >= shown.size()) return text;
  const std::string_view part = std::string_view(shown).substr(begin, kLongestShownLine);
  const std::size_t carets =
      std::clamp<std::size_t>(length, 1, kLongestShownLine - (place - begin));
  text += fmt::format("    {}\n    {:>{}}", part, '^', place - begin + 1);
  return text + std::string(carets - 1, '~') + '\n';
}

}  // namespace ferrule::control
