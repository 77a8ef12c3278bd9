#include "io/memory/memory_poller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "io/clock.h"

namespace ferrule::io {

namespace {
constexpr Duration kAtOnce = 3600s;  // no deadline is too far away for the library's clocks
}

MemorySignal::MemorySignal(MemoryEvents& events) : events_(events) {
  const std::lock_guard lock(events_.mutex_);
  number_ = static_cast<std::intptr_t>(events_.signals_.size());
  events_.signals_.emplace_back();
}

void MemorySignal::set() {
  {
    const std::lock_guard lock(events_.mutex_);
    MemoryEvents::Signal& signal = events_.signals_[static_cast<std::size_t>(number_)];
    signal.is_set = true;
    ++signal.sets;
  }
  events_.changed_.notify_all();
}

void MemorySignal::clear() {
  const std::lock_guard lock(events_.mutex_);
  events_.signals_[static_cast<std::size_t>(number_)].is_set = false;
}

MemoryPoller::Entry* MemoryPoller::find(Waitable what) noexcept {
  const auto found = std::ranges::find(entries_, what, &Entry::what);
  return found == entries_.end() ? nullptr : &*found;
}

// What is set already is news to who begins to watch.
void MemoryPoller::arm(Entry& entry, Watch watch, std::uint64_t tag) noexcept {
  const auto& signal = events_.signals_[static_cast<std::size_t>(entry.what.number())];
  entry.watch = watch;
  entry.tag = tag;
  entry.armed = true;
  entry.told_writable = false;
  entry.told_sets = signal.is_set ? signal.sets - 1 : signal.sets;
}

Result<void> MemoryPoller::add(Waitable what, Watch watch, std::uint64_t tag) {
  FERRULE_CHECK(tag < kTagsEnd);
  {
    const std::lock_guard lock(events_.mutex_);
    const bool known = what && static_cast<std::size_t>(what.number()) < events_.signals_.size();
    if (!known || find(what) != nullptr) {
      const auto why = known ? std::errc::file_exists : std::errc::bad_file_descriptor;
      return std::unexpected(system_error(why, "watch a signal"));
    }
    arm(entries_.emplace_back(Entry{.what = what, .watch = watch}), watch, tag);
  }
  events_.changed_.notify_all();
  return {};
}

void MemoryPoller::rearm(Waitable what, Watch watch, std::uint64_t tag) noexcept {
  {
    const std::lock_guard lock(events_.mutex_);
    Entry* const entry = find(what);
    if (entry == nullptr) return;
    arm(*entry, watch, tag);
  }
  events_.changed_.notify_all();
}

void MemoryPoller::remove(Waitable what) noexcept {
  const std::lock_guard lock(events_.mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.what == what; });
}

Ready MemoryPoller::look(const Entry& entry) const noexcept {
  const auto& signal = events_.signals_[static_cast<std::size_t>(entry.what.number())];
  Ready ready{.tag = entry.tag};
  if (!entry.armed) return ready;
  const bool is_news = entry.watch.changes ? signal.sets != entry.told_sets : signal.is_set;
  ready.readable = entry.watch.reading && is_news;
  ready.writable = entry.watch.writing && !(entry.watch.changes && entry.told_writable);
  return ready;
}

std::size_t MemoryPoller::collect(std::span<Ready> room) noexcept {
  std::size_t used = 0;
  if (std::exchange(woken_, false)) room[used++] = {.tag = kWoken, .readable = true};
  for (std::size_t i = 0; i < entries_.size() && used < room.size(); ++i) {
    Entry& entry = entries_[(first_ + i) % entries_.size()];
    const Ready ready = look(entry);
    if (!ready.readable && !ready.writable) continue;
    room[used++] = ready;
    entry.told_writable = entry.told_writable || ready.writable;
    entry.told_sets = events_.signals_[static_cast<std::size_t>(entry.what.number())].sets;
    if (entry.watch.once) entry.armed = false;
  }
  if (!entries_.empty()) first_ = (first_ + 1) % entries_.size();
  return used;
}

std::span<Ready> MemoryPoller::wait(std::span<Ready> room, std::optional<Instant> deadline) {
  FERRULE_CHECK(!room.empty());
  std::unique_lock lock(events_.mutex_);
  for (;;) {
    if (const std::size_t used = collect(room); used != 0) return room.first(used);
    if (!deadline) {
      events_.changed_.wait(lock);
      continue;
    }
    const Duration left = *deadline - now().boot;
    if (left <= Duration::zero()) return {};
    (void)events_.changed_.wait_for(lock, std::min<Duration>(left, kAtOnce));
  }
}

void MemoryPoller::wake() noexcept {
  {
    const std::lock_guard lock(events_.mutex_);
    woken_ = true;
  }
  events_.changed_.notify_all();
}

}  // namespace ferrule::io
