// What a thread waits on: thin owners of epoll, eventfd, timerfd and signalfd.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/time.h"
#include "io/linux/fd.h"

namespace ferrule::io {

/// epoll(7). All may be called by any number of threads at once.
class Epoll {
 public:
  [[nodiscard]] static Result<Epoll> open();
  /// Readable when `wait` has events: one loop may wait on another.
  [[nodiscard]] int poll_fd() const noexcept { return fd_.get(); }

  /// `events` as in epoll_ctl(2), EPOLLONESHOT and EPOLLEXCLUSIVE included; `tag` comes back with each
  /// event. The descriptor stays the caller's, who removes it before closing it.
  [[nodiscard]] Result<void> add(int fd, std::uint32_t events, std::uint64_t tag);
  /// Also what arms a descriptor again after an EPOLLONESHOT event.
  [[nodiscard]] Result<void> modify(int fd, std::uint32_t events, std::uint64_t tag);
  void remove(int fd) noexcept;

  /// The first of the events that are there, waiting up to `timeout` (none: for ever; 0: not at all)
  /// for one. Empty after a timeout or a signal.
  [[nodiscard]] std::span<epoll_event> wait(std::span<epoll_event> room,
                                            std::optional<Duration> timeout);

 private:
  explicit Epoll(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  Result<void> control(int operation, int fd, std::uint32_t events, std::uint64_t tag);
  UniqueFd fd_;
};

/// The tag of an event. (epoll_event is packed: references into it are not aligned.)
[[nodiscard]] inline std::uint64_t tag_of(const epoll_event& event) noexcept {
  return event.data.u64;
}

/// eventfd(2): wakes a thread that waits on it. Thread-safe.
class EventFd {
 public:
  [[nodiscard]] static Result<EventFd> open();
  [[nodiscard]] int poll_fd() const noexcept { return fd_.get(); }
  void signal() noexcept;
  /// Takes all signals so far. False when there was none.
  bool drain() noexcept;

 private:
  explicit EventFd(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// timerfd(2) on the boot clock, which runs while the machine sleeps. Thread-safe.
class TimerFd {
 public:
  [[nodiscard]] static Result<TimerFd> open();
  [[nodiscard]] int poll_fd() const noexcept { return fd_.get(); }
  /// Readable from `deadline` on, which may have passed; never() disarms. Replaces the one before.
  void arm(Instant deadline) noexcept;
  /// Makes it unreadable. False when it had not fired.
  bool drain() noexcept;

 private:
  explicit TimerFd(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// signalfd(2).
class SignalFd {
 public:
  /// Blocks `signals` in the calling thread and those that it starts later.
  [[nodiscard]] static Result<SignalFd> open(std::span<const int> signals);
  [[nodiscard]] int poll_fd() const noexcept { return fd_.get(); }
  /// The next signal that has arrived.
  [[nodiscard]] std::optional<int> take() noexcept;

 private:
  explicit SignalFd(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace ferrule::io
