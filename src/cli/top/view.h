// `ferrule top` as lines of text, whatever the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/top/state.h"

namespace ferrule::cli {

/// `bar` is a heading, `marked` what stands out in it.
enum class Look : std::uint8_t { plain, bold, dim, bar, marked, good, warning };

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

/// What a page is made of.
struct TopView {
  const TopState& state;
  const monitor::Snapshot& snapshot;
  const monitor::History& history;
  TopScreen screen;
};

/// At most `rows` lines of at most `columns` columns.
[[nodiscard]] std::vector<Line> draw_top(const TopView& view);

}  // namespace ferrule::cli
