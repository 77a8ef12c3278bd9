// What an edit of a file did, line by line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ferrule::control {

/// A line that is in one of two texts alone, as it may be shown: without secret keys.
struct LineChange {
  bool is_added = false;
  std::string line;
};

/// In their order. Where very much differs, all that is between the first and the last difference counts
/// as changed.
[[nodiscard]] std::vector<LineChange> line_changes(std::string_view before, std::string_view after);

}  // namespace ferrule::control
