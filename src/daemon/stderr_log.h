// The daemon's log: lines on standard error, which nobody waits for.
#pragma once

#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/log.h"
#include "io/linux/kept_log.h"

namespace ferrule::daemon {

/// Writes "ferruled: IFACE: line". Thread-safe, and never waits for whoever reads the log: lines are
/// queued, without asking for memory, and a thread of the log's own writes them. What finds no room, since
/// the reader stalls, is dropped, and the number of such lines told once there is room again. A line that
/// repeats the one before is counted, and the count told with the next other line or after a while.
class StderrLog final : public Log {
 public:
  // The rest of a longer line is cut off: with its prefix it is written in one piece (PIPE_BUF).
  static constexpr std::size_t kMaxLineBytes = 4000;
  static constexpr std::size_t kQueueBytes = std::size_t{64} << 10;

  struct Options {
    int fd = STDERR_FILENO;
    std::chrono::milliseconds repeats_told_after{3000};  // at first; then twice that, and so on
    std::chrono::milliseconds last_words{1000};          // how long flush() and the destructor wait
    std::shared_ptr<io::KeptLog> kept = {};  // gets all lines, too, and before the reader
  };

  StderrLog(LogLevel level, const std::string& interface)
      : StderrLog(level, interface, Options{}) {}
  StderrLog(LogLevel level, const std::string& interface, Options options);
  /// Flushes. A thread that still waits for the reader then is left to the end of the process.
  ~StderrLog() override;
  StderrLog(const StderrLog&) = delete;
  StderrLog& operator=(const StderrLog&) = delete;

  /// Starts the thread; until then lines are kept. Call when the process has forked and has given up what
  /// it gives up, which holds for threads made later alone.
  void start() noexcept;
  /// Waits until all lines are written, or for `last_words`.
  void flush() noexcept;

  [[nodiscard]] bool wants(LogLevel level) const noexcept override {
    return level != LogLevel::silent && level <= level_;
  }
  void write(LogLevel level, std::string_view line) noexcept override;
  /// Writes the line whatever the level: why there is no daemon.
  void write_always(std::string_view line) noexcept;

 private:
  class Queue;
  LogLevel level_;
  Options options_;
  std::shared_ptr<Queue> queue_;  // the thread's too, which may outlive the log
};

}  // namespace ferrule::daemon
