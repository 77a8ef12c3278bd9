// For tests of what a daemon does when its machine has slept: preloaded, it moves the daemon's boot
// clock ahead by the nanoseconds that stand in the file $SLEPT_FILE, and follows when they change.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

using Nanoseconds = std::atomic<std::int64_t>;
static_assert(Nanoseconds::is_always_lock_free);

// Another process writes there.
const Nanoseconds& slept() noexcept {
  static const Nanoseconds* const shared = [] {
    const char* path = std::getenv("SLEPT_FILE");
    const int fd = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    void* at = ::mmap(nullptr, sizeof(Nanoseconds), PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) std::abort();
    return static_cast<const Nanoseconds*>(at);
  }();
  return *shared;
}

// Before the daemon's sandbox closes.
[[gnu::constructor]] void map_early() noexcept { slept(); }

void shift(timespec& time, std::int64_t by_ns) noexcept {
  const std::int64_t ns = time.tv_sec * kNsPerSecond + time.tv_nsec + by_ns;
  time.tv_sec = ns / kNsPerSecond;
  time.tv_nsec = ns % kNsPerSecond;
}

template <typename Function>
Function* original(const char* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto next = original<int(clockid_t, timespec*)>("clock_gettime");
  const int status = next(clock, time);
  if (status == 0 && clock == CLOCK_BOOTTIME) shift(*time, slept());
  return status;
}

// The kernel's own clock has not moved. A timer that runs when the other moves ends late.
[[gnu::visibility("default")]] int timerfd_settime(int fd, int flags, const itimerspec* when,
                                                   itimerspec* old) noexcept {
  static const auto next =
      original<int(int, int, const itimerspec*, itimerspec*)>("timerfd_settime");
  itimerspec moved = *when;
  const bool armed = when->it_value.tv_sec != 0 || when->it_value.tv_nsec != 0;
  if (armed && (flags & TFD_TIMER_ABSTIME) != 0) {
    shift(moved.it_value, -slept());
    if (moved.it_value.tv_sec < 0 || moved.it_value.tv_nsec < 0) moved.it_value = {0, 1};
  }
  return next(fd, flags, &moved, old);
}
}
