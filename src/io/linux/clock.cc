#include "io/clock.h"

#include <time.h>

namespace ferrule::io {

Now now() noexcept {
  timespec boot;
  timespec wall;
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  ::clock_gettime(CLOCK_REALTIME, &wall);
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return {Instant::from_ns(boot.tv_sec * kNsPerSecond + boot.tv_nsec),
          WallTime{wall.tv_sec, static_cast<std::uint32_t>(wall.tv_nsec)}};
}

}  // namespace ferrule::io
