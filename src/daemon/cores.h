// How many threads are worth having.
#pragma once

#include <cstddef>

namespace ferrule::daemon {

/// The cores that this process may use: its affinity and its control group's quota, at least 1.
[[nodiscard]] std::size_t usable_cores();

/// How many workers each of `lanes` lanes gets.
[[nodiscard]] std::size_t workers_per_lane(std::size_t lanes);

}  // namespace ferrule::daemon
