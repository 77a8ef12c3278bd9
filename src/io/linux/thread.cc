#include "io/thread.h"

#include <pthread.h>
#include <time.h>

namespace ferrule::io {

namespace {

Duration time_of(clockid_t clock) noexcept {
  timespec used{};
  ::clock_gettime(clock, &used);
  return std::chrono::seconds(used.tv_sec) + Duration(used.tv_nsec);
}

}  // namespace

void name_this_thread(const char* name) noexcept { ::pthread_setname_np(::pthread_self(), name); }

Duration cpu_time(const std::thread& thread) noexcept {
  clockid_t clock;
  const pthread_t handle = const_cast<std::thread&>(thread).native_handle();
  return ::pthread_getcpuclockid(handle, &clock) == 0 ? time_of(clock) : Duration(0);
}

Duration cpu_time_of_this_thread() noexcept { return time_of(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace ferrule::io
