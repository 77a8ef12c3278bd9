#include "cli/terminal/style.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace ferrule::cli {

namespace {

constexpr std::string_view kBold = "\x1b[1m";

std::string_view code_of(Color color) {
  switch (color) {
    case Color::green:
      return "\x1b[32m";
    case Color::yellow:
      return "\x1b[33m";
    case Color::cyan:
      return "\x1b[36m";
    case Color::red:
      return "\x1b[31m";
  }
  return "";
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool wants_color(int fd) {
  const std::string_view mode = environment("WG_COLOR_MODE");
  if (mode == "always") return true;
  if (mode == "never" || !environment("NO_COLOR").empty()) return false;
  return isatty(fd) == 1;
}

std::string Style::colored(Color color, std::string_view text) const {
  return code(code_of(color)) + std::string(text) + reset();
}

std::string Style::bold(std::string_view text) const {
  return code(kBold) + std::string(text) + reset();
}

std::string Style::bold(Color color, std::string_view text) const {
  return code(code_of(color)) + bold(text);
}

std::string Style::duration(std::uint64_t seconds) const {
  struct Unit {
    std::string_view name;
    std::uint64_t seconds;
  };
  static constexpr std::array<Unit, 5> kUnits{
      {{"year", 31536000}, {"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}}};
  std::string text;
  for (const Unit& unit : kUnits) {
    const std::uint64_t count = seconds / unit.seconds;
    seconds %= unit.seconds;
    if (count == 0) continue;
    if (!text.empty()) text += ", ";
    text +=
        fmt::format("{} {}", count,
                    colored(Color::cyan, fmt::format("{}{}", unit.name, count == 1 ? "" : "s")));
  }
  return text;
}

std::string Style::ago(std::int64_t then_s, std::int64_t now_s) const {
  if (then_s == now_s) return "Now";
  if (then_s > now_s) {
    constexpr std::string_view kWarning =
        "System clock wound backward; connection problems may ensue.";
    return fmt::format("({})", colored(Color::red, kWarning));
  }
  return duration(static_cast<std::uint64_t>(now_s - then_s)) + " ago";
}

std::string Style::size(std::uint64_t bytes) const {
  if (bytes < 1024) return fmt::format("{} {}", bytes, colored(Color::cyan, "B"));
  static constexpr std::array<std::string_view, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  auto amount = static_cast<double>(bytes) / 1024;
  // By the number of bytes, not by what is left of it: 1048575 bytes are 1024.00 KiB, as with wg.
  for (std::uint64_t rest = bytes >> 20; rest > 0 && unit + 1 < kUnits.size(); rest >>= 10) {
    amount /= 1024;
    ++unit;
  }
  return fmt::format("{:.2f} {}", amount, colored(Color::cyan, kUnits[unit]));
}

}  // namespace ferrule::cli
