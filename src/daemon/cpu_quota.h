// How much CPU time the control groups of this process leave it.
#pragma once

#include <optional>
#include <string>

namespace ferrule::daemon {

/// In CPUs: the least of the quotas of the groups that this process is in and of those around them, as
/// far up as it can see, of cgroup v1 (`cpu.cfs_quota_us`) and v2 (`cpu.max`, a unit's CPUQuota). None
/// where none is limited. `root` stands before the paths of all files that are read.
[[nodiscard]] std::optional<double> cpu_quota(const std::string& root = {});

}  // namespace ferrule::daemon
