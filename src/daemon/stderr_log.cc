#include "daemon/stderr_log.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "io/thread.h"

namespace ferrule::daemon {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRepeatsToldAtLeastEvery{60'000};

// A line is one write(2), so that those of several processes don't mix. Waits for the reader.
void write_line(int fd, std::string_view line) noexcept {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written >= 0) {
      line.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // whoever shares the descriptor has made it so
      pollfd room{fd, POLLOUT, 0};
      (void)::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return;  // nobody can read it
    }
  }
}

void write_lines(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t size = text.find('\n') + 1;
    write_line(fd, text.substr(0, size));
    text.remove_prefix(size);
  }
}

}  // namespace

class StderrLog::Queue : public std::enable_shared_from_this<StderrLog::Queue> {
 public:
  Queue(const std::string& interface, const Options& options)
      : prefix_(fmt::format("ferruled: {}: ", interface)), options_(options) {
    waiting_.reserve(kQueueBytes);
    being_written_.reserve(kQueueBytes);
    last_.reserve(kMaxLineBytes);
  }

  void start() noexcept {
    const std::lock_guard lock(mutex_);
    may_start_ = true;
    start_thread();  // now: when there is something to tell there may be no room for a thread
  }

  void put(std::string_view line) noexcept {
    line = line.substr(0, kMaxLineBytes);
    const std::lock_guard lock(mutex_);
    if (line == last_) {
      if (repeats_++ > 0) return;
      tell_repeats_at_ = Clock::now() + repeats_told_after_;
    } else {
      put_repeats();
      last_.assign(append({line}) ? line : std::string_view());
      repeats_told_after_ = options_.repeats_told_after;
    }
    if (may_start_) start_thread();
    work_.notify_one();
  }

  void flush() noexcept {
    std::unique_lock lock(mutex_);
    if (is_idle()) return;
    start_thread();
    (void)idle_.wait_for(lock, options_.last_words, [this] { return is_idle(); });
  }

  // All that is left, a count of repeats too, and the end of the thread.
  void end() noexcept {
    {
      const std::lock_guard lock(mutex_);
      put_repeats();
      ending_ = true;
      work_.notify_one();
    }
    flush();
    std::unique_lock lock(mutex_);
    if (!thread_.joinable()) return;
    const bool idle = is_idle();
    lock.unlock();
    idle ? thread_.join() : thread_.detach();
  }

 private:
  [[nodiscard]] bool is_idle() const noexcept {
    return waiting_.empty() && being_written_.empty() && dropped_ == 0;
  }

  // Where there is room for no thread either, the next line tries again.
  void start_thread() noexcept {
    if (thread_.joinable()) return;
    try {
      thread_ = std::thread([self = shared_from_this()] { self->run(); });
    } catch (const std::exception&) {
    }
  }

  // False when the line was dropped. Once one is, all are until their number is told: it stands where
  // they are missing.
  bool append(std::initializer_list<std::string_view> parts) noexcept {
    std::size_t size = prefix_.size() + 1;
    for (const std::string_view part : parts) size += part.size();
    if (dropped_ > 0 || waiting_.size() + size > kQueueBytes) {
      ++dropped_;
      return false;
    }
    waiting_ += prefix_;
    for (const std::string_view part : parts) waiting_ += part;
    waiting_ += '\n';
    return true;
  }

  void put_repeats() noexcept {
    if (repeats_ == 0) return;
    const fmt::format_int count(std::exchange(repeats_, 0));
    append({"repeated: the line before, times: ", {count.data(), count.size()}});
    repeats_told_after_ = std::min(2 * repeats_told_after_, kRepeatsToldAtLeastEvery);
  }

  void put_dropped() noexcept {
    if (dropped_ == 0) return;
    const fmt::format_int count(std::exchange(dropped_, 0));
    append({"dropped, since nobody was reading the log, lines: ", {count.data(), count.size()}});
  }

  void run() noexcept {
    io::name_this_thread("log");
    std::unique_lock lock(mutex_);
    while (wait_for_work(lock)) {
      std::swap(waiting_, being_written_);
      put_dropped();
      lock.unlock();
      keep_lines(being_written_);
      write_lines(options_.fd, being_written_);
      lock.lock();
      being_written_.clear();
      if (is_idle()) idle_.notify_all();
    }
  }

  void keep_lines(std::string_view text) const noexcept {
    while (options_.kept && !text.empty()) {
      const std::size_t end = text.find('\n');
      options_.kept->write(text.substr(prefix_.size(), end - prefix_.size()));
      text.remove_prefix(end + 1);
    }
  }

  // False when there is none and never will be.
  bool wait_for_work(std::unique_lock<std::mutex>& lock) noexcept {
    while (waiting_.empty() && dropped_ == 0) {
      if (ending_) return false;
      if (repeats_ == 0) {
        work_.wait(lock);
      } else if (work_.wait_until(lock, tell_repeats_at_) == std::cv_status::timeout) {
        put_repeats();
      }
    }
    return true;
  }

  const std::string prefix_;
  const Options options_;
  std::mutex mutex_;  // guards all below; held while nothing waits
  std::condition_variable work_;
  std::condition_variable idle_;
  std::string waiting_;
  std::string being_written_;  // while it is written, only its thread reads it, without the lock
  std::string last_;           // without its prefix
  std::uint64_t repeats_ = 0;  // of the last line, not told yet
  std::uint64_t dropped_ = 0;
  std::chrono::milliseconds repeats_told_after_{};
  Clock::time_point tell_repeats_at_;
  bool may_start_ = false;
  bool ending_ = false;
  std::thread thread_;
};

StderrLog::StderrLog(LogLevel level, const std::string& interface, Options options)
    : level_(level), options_(options), queue_(std::make_shared<Queue>(interface, options)) {}

StderrLog::~StderrLog() { queue_->end(); }

void StderrLog::start() noexcept { queue_->start(); }

void StderrLog::flush() noexcept { queue_->flush(); }

void StderrLog::write(LogLevel level, std::string_view line) noexcept {
  if (wants(level)) write_always(line);
}

void StderrLog::write_always(std::string_view line) noexcept { queue_->put(line); }

}  // namespace ferrule::daemon
