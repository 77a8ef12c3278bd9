// How wide the columns of the list of peers are.
#pragma once

#include <cstddef>

namespace ferrule::cli {

/// What would show everything, in columns.
struct WidestTexts {
  std::size_t name = 0;  // of those peers that have one, with the marker before it
  std::size_t key = 0;   // of those that have no name, likewise
  std::size_t endpoint = 0;
};

/// Shares a screen out: first what says who and how, then names whole, plots, totals, keys whole, and plots that
/// go back longer. A space stands before every column but the first. Value type.
struct ListColumns {
  ListColumns(std::size_t screen, const WidestTexts& widest);

  static constexpr std::size_t kAge = 10;
  static constexpr std::size_t kLoss = 5;
  static constexpr std::size_t kRate = 7;
  static constexpr std::size_t kTotal = 11;

  std::size_t peer = 0;
  std::size_t endpoint = 0;
  std::size_t plot = 0;  // 0: there is none
  bool has_totals = false;
};

}  // namespace ferrule::cli
