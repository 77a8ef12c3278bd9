#include "control/conf_error.h"

#include <fmt/format.h>

#include <algorithm>

namespace ferrule::control {

namespace {

constexpr std::size_t kLongestShownLine = 120;

}  // namespace

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
