// One thread that waits for everything and calls who wanted to know.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "base/time.h"
#include "io/poller.h"

namespace ferrule::io {

/// All of it, and what it calls, belongs to one thread.
class Loop {
 public:
  using Handler = std::function<void(const Ready&)>;

  [[nodiscard]] static Result<Loop> open();
  Loop(Loop&&) = default;
  Loop& operator=(Loop&&) = delete;
  /// Whatever lives in what it would have called goes with it.
  ~Loop() { is_closing_ = true; }

  /// Waits and calls, until `stop`.
  void run();
  void stop() noexcept { stopped_ = true; }
  /// After `stop`, so that `run` may be called again.
  void go_on() noexcept { stopped_ = false; }
  /// The time at which this turn began.
  [[nodiscard]] Instant now() const noexcept { return now_; }

 private:
  friend class Watched;
  friend class Timer;
  struct Watcher {
    int fd;
    Watch watch;
    Handler handler;
  };
  explicit Loop(std::unique_ptr<Poller> poller) noexcept : poller_(std::move(poller)) {}
  void run_timers();

  std::unique_ptr<Poller> poller_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Watcher>> watchers_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> timers_;
  std::uint64_t next_tag_ = 1;
  Instant now_;
  bool stopped_ = false;
  bool is_closing_ = false;
};

/// A descriptor that is watched for as long as this lives: it goes before the descriptor does.
class Watched {
 public:
  Watched() noexcept = default;
  /// `handler` is called with what has come; it may destroy this.
  Watched(Loop& loop, int fd, Watch watch, Loop::Handler handler);
  Watched(Watched&& other) noexcept;
  Watched& operator=(Watched&& other) noexcept;
  ~Watched() { reset(); }

  void set(bool reading, bool writing);
  void reset() noexcept;
  [[nodiscard]] explicit operator bool() const noexcept { return loop_ != nullptr; }

 private:
  Loop* loop_ = nullptr;
  std::uint64_t tag_ = 0;
};

/// A call at a later time, unless this goes before.
class Timer {
 public:
  Timer() noexcept = default;
  Timer(Loop& loop, Instant at, std::function<void()> call);
  Timer(Timer&& other) noexcept;
  Timer& operator=(Timer&& other) noexcept;
  ~Timer() { reset(); }
  void reset() noexcept;

 private:
  Loop* loop_ = nullptr;
  std::pair<Instant, std::uint64_t> key_;
};

}  // namespace ferrule::io
