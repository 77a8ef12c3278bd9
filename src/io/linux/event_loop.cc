#include "io/linux/event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace ferrule::io {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

template <class T>
bool read_whole(int fd, T& value) noexcept {
  return ::read(fd, &value, sizeof value) == static_cast<ssize_t>(sizeof value);
}

}  // namespace

Result<EventFd> EventFd::open() {
  UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return std::unexpected(system_error(errno, "create eventfd"));
  return EventFd(std::move(fd));
}

void EventFd::signal() noexcept {
  // The only failure, a full counter, leaves it readable, which is all that is wanted.
  (void)::eventfd_write(fd_.get(), 1);
}

bool EventFd::drain() noexcept {
  std::uint64_t count;
  return read_whole(fd_.get(), count);
}

Result<TimerFd> TimerFd::open() {
  UniqueFd fd(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd) return std::unexpected(system_error(errno, "create timerfd"));
  return TimerFd(std::move(fd));
}

void TimerFd::arm(Instant deadline) noexcept {
  itimerspec when{};
  if (!deadline.is_never()) {
    // Zero would disarm: an instant before the clock's start is as past as its first nanosecond.
    const std::int64_t ns = std::max<std::int64_t>(deadline.ns(), 1);
    when.it_value.tv_sec = ns / kNsPerSecond;
    when.it_value.tv_nsec = ns % kNsPerSecond;
  }
  FERRULE_CHECK(::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

Result<SignalFd> SignalFd::open(std::span<const int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : signals) ::sigaddset(&set, signal);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return std::unexpected(system_error(error, "block signals"));
  }
  UniqueFd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return std::unexpected(system_error(errno, "create signalfd"));
  return SignalFd(std::move(fd));
}

std::optional<int> SignalFd::take() noexcept {
  signalfd_siginfo info;
  if (!read_whole(fd_.get(), info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace ferrule::io
