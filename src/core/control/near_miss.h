// What someone may have meant.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace ferrule::control {

/// The candidate that `word` is a likely misspelling of, or none. Case does not count. A third of
/// the letters may be wrong, missing, too many or swapped with their neighbour.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace ferrule::control
