#include "daemon/cores.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "daemon/cpu_quota.h"

namespace ferrule::daemon {

namespace {

// More than this gains nothing for one interface, and each worker has buffers.
constexpr std::size_t kMaxWorkers = 16;
constexpr std::size_t kMaxDefaultLanes = 4;

// A kernel may be able to run more CPUs than a cpu_set_t has room for; with less room than it could run
// it answers EINVAL.
constexpr std::size_t kMostCpus = std::size_t{1} << 20;

std::size_t quota_cores() {
  const std::optional<double> quota = cpu_quota();
  return quota ? static_cast<std::size_t>(std::min<double>(*quota + 0.5, kMaxWorkers))
               : kMaxWorkers;
}

}  // namespace

std::size_t allowed_cpus(const AffinityCall& get_affinity) {
  for (std::size_t cpus = CPU_SETSIZE; cpus <= kMostCpus; cpus *= 2) {
    const std::size_t size = CPU_ALLOC_SIZE(cpus);
    std::vector<cpu_set_t> set((size + sizeof(cpu_set_t) - 1) / sizeof(cpu_set_t));
    if (get_affinity(0, size, set.data()) == 0) {
      return static_cast<std::size_t>(CPU_COUNT_S(size, set.data()));
    }
    if (errno != EINVAL) break;
  }
  return 1;
}

std::size_t usable_cores() {
  const std::size_t allowed = allowed_cpus(::sched_getaffinity);
  return std::clamp<std::size_t>(std::min(allowed, quota_cores()), 1, kMaxWorkers);
}

std::size_t default_lanes() {
  const std::size_t cores = usable_cores();
  return cores <= 2 ? cores : std::min(kMaxDefaultLanes, cores / 2);
}

std::size_t workers_per_lane(std::size_t lanes) {
  return std::max<std::size_t>(1, usable_cores() / lanes);
}

}  // namespace ferrule::daemon
