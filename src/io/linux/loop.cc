#include "io/linux/loop.h"

#include <array>
#include <optional>
#include <utility>

#include "io/clock.h"

namespace ferrule::io {

Result<Loop> Loop::open() {
  auto poller = open_poller();
  if (!poller) return std::unexpected(poller.error());
  Loop loop(std::move(*poller));
  loop.now_ = io::now().boot;
  return loop;
}

void Loop::run() {
  std::array<Ready, 64> room;
  while (!stopped_) {
    std::optional<Instant> next;
    if (!timers_.empty()) next = timers_.begin()->first.first;
    const auto came = poller_->wait(room, next);
    now_ = io::now().boot;
    for (const Ready& ready : came) {
      const auto found = watchers_.find(ready.tag);
      if (found == watchers_.end()) continue;  // gone since
      const std::shared_ptr<Watcher> watcher = found->second;
      watcher->handler(ready);
    }
    run_timers();
  }
}

// What they start anew comes in the next turn.
void Loop::run_timers() {
  const std::uint64_t started_before = next_tag_;
  while (!stopped_ && !timers_.empty()) {
    const auto first = timers_.begin();
    if (first->first.first > now_ || first->first.second >= started_before) return;
    const auto call = std::move(first->second);
    timers_.erase(first);
    call();
  }
}

Watched::Watched(Loop& loop, int fd, Watch watch, Loop::Handler handler)
    : loop_(&loop), tag_(loop.next_tag_++) {
  loop.watchers_.emplace(tag_, std::make_shared<Loop::Watcher>(fd, watch, std::move(handler)));
  (void)loop.poller_->add(Waitable(fd), watch, tag_);
}

Watched::Watched(Watched&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)), tag_(other.tag_) {}

Watched& Watched::operator=(Watched&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    tag_ = other.tag_;
  }
  return *this;
}

void Watched::set(bool reading, bool writing) {
  Loop::Watcher& watcher = *loop_->watchers_.at(tag_);
  if (watcher.watch.reading == reading && watcher.watch.writing == writing) return;
  watcher.watch.reading = reading;
  watcher.watch.writing = writing;
  loop_->poller_->rearm(Waitable(watcher.fd), watcher.watch, tag_);
}

void Watched::reset() noexcept {
  if (loop_ == nullptr) return;
  if (loop_->is_closing_) {
    loop_ = nullptr;
    return;
  }
  const auto found = loop_->watchers_.find(tag_);
  loop_->poller_->remove(Waitable(found->second->fd));
  const std::shared_ptr<Loop::Watcher> last = found->second;  // may own what owns us
  loop_->watchers_.erase(found);
  loop_ = nullptr;
}

Timer::Timer(Loop& loop, Instant at, std::function<void()> call)
    : loop_(&loop), key_(at, loop.next_tag_++) {
  loop.timers_.emplace(key_, std::move(call));
}

Timer::Timer(Timer&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)), key_(other.key_) {}

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    key_ = other.key_;
  }
  return *this;
}

void Timer::reset() noexcept {
  if (loop_ == nullptr) return;
  Loop& loop = *std::exchange(loop_, nullptr);
  if (loop.is_closing_) return;
  const auto found = loop.timers_.find(key_);
  if (found == loop.timers_.end()) return;     // it has been called
  const auto last = std::move(found->second);  // may own what owns us
  loop.timers_.erase(found);
}

}  // namespace ferrule::io
