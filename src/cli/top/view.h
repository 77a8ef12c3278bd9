// `ferrule top` as lines of text, whatever the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/top/state.h"

namespace ferrule::cli {

enum class Look : std::uint8_t { plain, bold, dim, bar, good, warning };

struct Span {
  std::string text;  // UTF-8
  Look look = Look::plain;
};
using Line = std::vector<Span>;

struct TopScreen {
  std::size_t rows;
  std::size_t columns;
  bool has_unicode;  // else plots are made of ASCII
};

/// At most `rows` lines of at most `columns` columns.
[[nodiscard]] std::vector<Line> draw_top(const TopState& state, const monitor::Snapshot& snapshot,
                                         const monitor::History& history, const TopScreen& screen);

/// The last `width` values as a plot of one line, the highest one full.
[[nodiscard]] std::string plot(const std::vector<double>& values, std::size_t width,
                               bool has_unicode);
/// "1.2M", in bits a second.
[[nodiscard]] std::string rate_text(double bytes_per_second);
/// "0.3 %"; "-" where it is not known.
[[nodiscard]] std::string loss_text(const std::optional<double>& loss);

}  // namespace ferrule::cli
