// What is waited for and who waits, in memory, for tests.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "io/poller.h"

namespace ferrule::io {

/// Whose pollers and signals know each other. Outlives all of them. Thread-safe.
class MemoryEvents {
 public:
  MemoryEvents() = default;
  MemoryEvents(const MemoryEvents&) = delete;
  MemoryEvents& operator=(const MemoryEvents&) = delete;

 private:
  friend class MemorySignal;
  friend class MemoryPoller;
  struct Signal {
    bool is_set = false;
    std::uint64_t sets = 0;  // how often set() was called
  };

  std::mutex mutex_;  // guards everything here, and all entries of all pollers
  std::condition_variable changed_;
  std::vector<Signal> signals_;  // by the number of their Waitable
};

/// Something to wait for: readable from set() to clear(), and always writable.
class MemorySignal {
 public:
  explicit MemorySignal(MemoryEvents& events);
  [[nodiscard]] Waitable waitable() const noexcept { return Waitable(number_); }
  void set();
  void clear();

 private:
  MemoryEvents& events_;
  std::intptr_t number_;
};

/// A Poller of MemorySignals.
class MemoryPoller final : public Poller {
 public:
  explicit MemoryPoller(MemoryEvents& events) noexcept : events_(events) {}

  [[nodiscard]] Result<void> add(Waitable what, Watch watch, std::uint64_t tag) override;
  void rearm(Waitable what, Watch watch, std::uint64_t tag) noexcept override;
  void remove(Waitable what) noexcept override;
  [[nodiscard]] std::span<Ready> wait(std::span<Ready> room,
                                      std::optional<Instant> deadline) override;
  void wake() noexcept override;

 private:
  struct Entry {
    Waitable what;
    Watch watch;
    std::uint64_t tag = 0;
    bool armed = true;
    // Where changes are watched: what has been told since it was armed.
    std::uint64_t told_sets = 0;
    bool told_writable = false;
  };

  // All of these under the events' lock.
  [[nodiscard]] Entry* find(Waitable what) noexcept;
  void arm(Entry& entry, Watch watch, std::uint64_t tag) noexcept;
  [[nodiscard]] Ready look(const Entry& entry) const noexcept;
  [[nodiscard]] std::size_t collect(std::span<Ready> room) noexcept;

  MemoryEvents& events_;
  std::vector<Entry> entries_;
  std::size_t first_ = 0;  // whose turn it is to be looked at first
  bool woken_ = false;
};

}  // namespace ferrule::io
