// The one place that reads clocks.
#pragma once

#include <pthread.h>
#include <time.h>

#include "base/time.h"

namespace ferrule::io {

/// The time on CLOCK_BOOTTIME and CLOCK_REALTIME. Thread-safe; cannot fail on Linux.
[[nodiscard]] inline Now now() noexcept {
  timespec boot;
  timespec wall;
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  ::clock_gettime(CLOCK_REALTIME, &wall);
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return {Instant::from_ns(boot.tv_sec * kNsPerSecond + boot.tv_nsec),
          WallTime{wall.tv_sec, static_cast<std::uint32_t>(wall.tv_nsec)}};
}

/// The CPU time that a thread has used, which has not been joined. Thread-safe.
[[nodiscard]] inline Duration cpu_time(pthread_t thread) noexcept {
  clockid_t clock;
  timespec used{};
  if (::pthread_getcpuclockid(thread, &clock) == 0) ::clock_gettime(clock, &used);
  return std::chrono::seconds(used.tv_sec) + Duration(used.tv_nsec);
}

}  // namespace ferrule::io
