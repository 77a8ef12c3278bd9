// Descriptors to wait on: thin owners of eventfd, timerfd and signalfd.
#pragma once

#include <optional>
#include <span>

#include "base/error.h"
#include "base/time.h"
#include "io/linux/fd.h"

namespace ferrule::io {

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
