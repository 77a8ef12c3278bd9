#include "daemon/cores.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

namespace ferrule::daemon {

namespace {

// More than this gains nothing for one interface, and each worker has buffers.
constexpr std::size_t kMaxWorkers = 16;
constexpr std::size_t kMaxDefaultLanes = 4;

// "max 100000" or "150000 100000": microseconds of quota in a period (cgroup v2).
std::size_t quota_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return kMaxWorkers;
  double microseconds = 0;
  const auto [end, error] =
      std::from_chars(quota.data(), quota.data() + quota.size(), microseconds);
  if (error != std::errc{}) return kMaxWorkers;
  return static_cast<std::size_t>(microseconds / period + 0.5);
}

}  // namespace

std::size_t usable_cores() {
  cpu_set_t set;
  const bool known = ::sched_getaffinity(0, sizeof set, &set) == 0;
  const std::size_t allowed = known ? static_cast<std::size_t>(CPU_COUNT(&set)) : 1;
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
