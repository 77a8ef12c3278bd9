// How many threads are worth having.
#pragma once

#include <sched.h>

#include <cstddef>
#include <functional>

namespace ferrule::daemon {

/// sched_getaffinity(2).
using AffinityCall = std::function<int(pid_t pid, std::size_t bytes, cpu_set_t* set)>;
/// The CPUs that this process may run on, however many the machine could have; 1 where that is unknown.
[[nodiscard]] std::size_t allowed_cpus(const AffinityCall& get_affinity);

/// The cores that are worth using: those of its affinity, as far as its control groups' quotas go
/// (cpu_quota.h); at least 1.
[[nodiscard]] std::size_t usable_cores();

/// How many lanes to open when nobody says. A lane has sockets and a queue of its own, so that lanes
/// never meet; but the packets of one peer come in by one lane, and past two cores a lane gets
/// several workers to share them (docs/decisions/0012-lanes-and-workers.md).
[[nodiscard]] std::size_t default_lanes();

/// How many workers each of `lanes` lanes gets.
[[nodiscard]] std::size_t workers_per_lane(std::size_t lanes);

}  // namespace ferrule::daemon
