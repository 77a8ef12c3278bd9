// How many threads are worth having.
#pragma once

#include <cstddef>

namespace ferrule::daemon {

/// The cores that this process may use: its affinity and its control group's quota, at least 1.
[[nodiscard]] std::size_t usable_cores();

/// How many lanes to open when nobody says. A lane has sockets and a queue of its own, so that lanes
/// never meet; but the packets of one peer come in by one lane, and past two cores a lane gets
/// several workers to share them (docs/decisions/0012-lanes-and-workers.md).
[[nodiscard]] std::size_t default_lanes();

/// How many workers each of `lanes` lanes gets.
[[nodiscard]] std::size_t workers_per_lane(std::size_t lanes);

}  // namespace ferrule::daemon
