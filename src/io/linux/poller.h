// Waiting on Linux: epoll, with a timer for the deadline, since its own timeouts stop while the machine
// sleeps.
#pragma once

#include "io/linux/event_loop.h"
#include "io/linux/fd.h"
#include "io/poller.h"

namespace ferrule::io {

/// The number of a Waitable is a descriptor.
class LinuxPoller final : public Poller {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LinuxPoller>> open();

  [[nodiscard]] Result<void> add(Waitable what, Watch watch, std::uint64_t tag) override;
  void rearm(Waitable what, Watch watch, std::uint64_t tag) noexcept override;
  void remove(Waitable what) noexcept override;
  [[nodiscard]] std::span<Ready> wait(std::span<Ready> room,
                                      std::optional<Instant> deadline) override;
  void wake() noexcept override { wake_.signal(); }

 private:
  LinuxPoller(UniqueFd fd, EventFd wake, TimerFd timer) noexcept
      : fd_(std::move(fd)), wake_(std::move(wake)), timer_(std::move(timer)) {}
  Result<void> control(int operation, int fd, std::uint32_t events, std::uint64_t tag);
  void arm(std::optional<Instant> deadline) noexcept;

  UniqueFd fd_;
  EventFd wake_;
  TimerFd timer_;
  std::optional<Instant> armed_;  // what the timer waits for
};

}  // namespace ferrule::io
