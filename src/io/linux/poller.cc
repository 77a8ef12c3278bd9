#include "io/linux/poller.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "io/clock.h"

namespace ferrule::io {

namespace {

constexpr std::uint64_t kDeadline = Poller::kTagsEnd;  // of our own timer
constexpr std::size_t kMostAtOnce = 64;

std::uint32_t events_of(Watch watch) noexcept {
  return (watch.reading ? EPOLLIN : 0u) | (watch.writing ? EPOLLOUT : 0u) |
         (watch.once ? EPOLLONESHOT : 0u) | (watch.changes ? EPOLLET : 0u);
}

Ready ready_of(const epoll_event& event) noexcept {
  const std::uint32_t events = event.events;
  return {.tag = event.data.u64,
          .readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
          .writable = (events & EPOLLOUT) != 0,
          .broken = (events & EPOLLERR) != 0};
}

int descriptor(Waitable what) noexcept { return static_cast<int>(what.number()); }

}  // namespace

Result<std::unique_ptr<Poller>> open_poller() {
  Result<std::unique_ptr<LinuxPoller>> poller = LinuxPoller::open();
  if (!poller) return std::unexpected(poller.error());
  return std::move(*poller);
}

Result<std::unique_ptr<LinuxPoller>> LinuxPoller::open() {
  UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd) return std::unexpected(system_error(errno, "create epoll"));
  Result<EventFd> wake = EventFd::open();
  if (!wake) return std::unexpected(wake.error());
  Result<TimerFd> timer = TimerFd::open();
  if (!timer) return std::unexpected(timer.error());
  std::unique_ptr<LinuxPoller> poller(
      new LinuxPoller(std::move(fd), std::move(*wake), std::move(*timer)));
  // Edge-triggered: each signal comes once, to one waiter, and nobody must drain them.
  for (const auto& [own, tag] : {std::pair(poller->wake_.poll_fd(), kWoken),
                                 std::pair(poller->timer_.poll_fd(), kDeadline)}) {
    Result<void> added = poller->control(EPOLL_CTL_ADD, own, EPOLLIN | EPOLLET, tag);
    if (!added) return std::unexpected(added.error());
  }
  return poller;
}

Result<void> LinuxPoller::control(int operation, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (::epoll_ctl(fd_.get(), operation, fd, &event) != 0) {
    return std::unexpected(system_error(errno, "watch a descriptor"));
  }
  return {};
}

Result<void> LinuxPoller::add(Waitable what, Watch watch, std::uint64_t tag) {
  FERRULE_CHECK(tag < kTagsEnd);
  return control(EPOLL_CTL_ADD, descriptor(what), events_of(watch), tag);
}

void LinuxPoller::rearm(Waitable what, Watch watch, std::uint64_t tag) noexcept {
  epoll_event event{};
  event.events = events_of(watch);
  event.data.u64 = tag;
  (void)::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, descriptor(what), &event);
}

void LinuxPoller::remove(Waitable what) noexcept {
  (void)::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, descriptor(what), nullptr);
}

std::span<Ready> LinuxPoller::wait(std::span<Ready> room, std::optional<Instant> deadline) {
  FERRULE_CHECK(!room.empty());
  const bool passed = deadline && *deadline <= now().boot;
  if (!passed) arm(deadline);
  std::array<epoll_event, kMostAtOnce> events;
  const int limit = static_cast<int>(std::min(room.size(), events.size()));
  const int count = ::epoll_wait(fd_.get(), events.data(), limit, passed ? 0 : -1);
  std::size_t used = 0;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kDeadline) {
      armed_.reset();
    } else {
      room[used++] = ready_of(events[i]);
    }
  }
  return room.first(used);
}

void LinuxPoller::arm(std::optional<Instant> deadline) noexcept {
  if (deadline == armed_) return;
  timer_.arm(deadline.value_or(Instant::never()));
  armed_ = deadline;
}

}  // namespace ferrule::io
