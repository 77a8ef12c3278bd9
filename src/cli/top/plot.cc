#include "cli/top/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

namespace ferrule::cli {

namespace {

constexpr double kBitsPerByte = 8;
constexpr double kLeastScaleBits = 1000;
constexpr double kMarks = 8;  // besides the empty one

struct InUnits {
  double bits;
  std::string_view unit;
};

InUnits in_units(double bytes_per_second) {
  constexpr std::array<std::string_view, 5> kUnits{"", "k", "M", "G", "T"};
  double bits = bytes_per_second * kBitsPerByte;
  std::size_t unit = 0;
  while (bits >= 1000 && unit + 1 < kUnits.size()) {
    bits /= 1000;
    ++unit;
  }
  return {bits, kUnits[unit]};
}

// `from` is how much the lines below this one stand for, `part` what this one does.
std::string_view mark_of(double value, double from, double part, bool has_unicode) {
  static constexpr std::array<std::string_view, 9> kBlocks{" ", "▁", "▂", "▃", "▄",
                                                           "▅", "▆", "▇", "█"};
  static constexpr std::array<std::string_view, 9> kAscii{" ", ".", ":", "-", "=",
                                                          "+", "*", "#", "@"};
  const double least = from <= 0 && value > 0 ? 1 : 0;
  const double filled = std::clamp((value - from) / part * kMarks, least, kMarks);
  return (has_unicode ? kBlocks : kAscii)[static_cast<std::size_t>(filled)];
}

}  // namespace

double plot_scale(double highest_bytes_per_second) {
  const double bits = std::max(highest_bytes_per_second * kBitsPerByte, kLeastScaleBits);
  const double power = std::pow(10, std::floor(std::log10(bits)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (bits <= step * power) return step * power / kBitsPerByte;
  }
  return 10 * power / kBitsPerByte;
}

std::string scale_text(double scale_bytes_per_second, bool has_unicode) {
  const InUnits scale = in_units(scale_bytes_per_second);
  return fmt::format("0{}{:.0f} {}bit/s", has_unicode ? "–" : "-", scale.bits, scale.unit);
}

std::vector<std::string> plot(const std::vector<double>& values, std::size_t width,
                              std::size_t height, double scale, bool has_unicode) {
  const auto shown = std::span(values).last(std::min(values.size(), width));
  const double part = scale / static_cast<double>(height);
  std::vector<std::string> lines;
  for (std::size_t below = height; below-- > 0;) {
    std::string& line = lines.emplace_back(width - shown.size(), ' ');
    for (const double value : shown) {
      line += mark_of(value, part * static_cast<double>(below), part, has_unicode);
    }
  }
  return lines;
}

std::string rate_text(double bytes_per_second) {
  const InUnits rate = in_units(bytes_per_second);
  return rate.unit.empty() ? fmt::format("{:.0f} ", rate.bits)
                           : fmt::format("{:.1f} {}", rate.bits, rate.unit);
}

}  // namespace ferrule::cli
