#include "io/linux/event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/check.h"

namespace ferrule::io {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// Rounded up: a loop that waits for a deadline must not come back before it, again and again.
int milliseconds(std::optional<Duration> timeout) noexcept {
  if (!timeout) return -1;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
  return static_cast<int>(std::clamp<std::int64_t>(rounded, 0, INT_MAX));
}

template <class T>
bool read_whole(int fd, T& value) noexcept {
  return ::read(fd, &value, sizeof value) == static_cast<ssize_t>(sizeof value);
}

}  // namespace

Result<Epoll> Epoll::open() {
  UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd) return std::unexpected(system_error(errno, "create epoll"));
  return Epoll(std::move(fd));
}

Result<void> Epoll::control(int operation, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (::epoll_ctl(fd_.get(), operation, fd, &event) != 0) {
    return std::unexpected(system_error(errno, "watch a descriptor"));
  }
  return {};
}

Result<void> Epoll::add(int fd, std::uint32_t events, std::uint64_t tag) {
  return control(EPOLL_CTL_ADD, fd, events, tag);
}

Result<void> Epoll::modify(int fd, std::uint32_t events, std::uint64_t tag) {
  return control(EPOLL_CTL_MOD, fd, events, tag);
}

void Epoll::remove(int fd) noexcept { (void)::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<epoll_event> Epoll::wait(std::span<epoll_event> room, std::optional<Duration> timeout) {
  FERRULE_CHECK(!room.empty());
  const int limit = static_cast<int>(std::min<std::size_t>(room.size(), INT_MAX));
  const int count = ::epoll_wait(fd_.get(), room.data(), limit, milliseconds(timeout));
  return room.first(count > 0 ? count : 0);
}

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

bool TimerFd::drain() noexcept {
  std::uint64_t expirations;
  return read_whole(fd_.get(), expirations);
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
