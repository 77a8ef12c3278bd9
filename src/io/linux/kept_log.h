// The last lines of a daemon's log, for when nobody was there to read it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/linux/fd.h"

namespace ferrule::io {

/// Writes lines with their time to two files in turns: when one is full, the older one is emptied and
/// goes on. So they never have more than twice kMaxBytes, and the last kMaxBytes are always there. Each
/// line goes to the system's log, too, if there is one at the start (/dev/log, which is the journal's or
/// syslog's): it is not waited for, and lines that it does not take are counted and their number told.
/// Needs no file to be opened later. Move-only; used by one thread at a time.
class KeptLog {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{256} << 10;
  static constexpr std::size_t kMaxLineBytes = 4096;
  static constexpr const char* kSystemLog = "/dev/log";

  /// Beside each other, `path` and `path`.old. None where they can't be written.
  [[nodiscard]] static std::optional<KeptLog> open(const std::string& path, std::string name,
                                                   const char* system_log = kSystemLog);

  /// One line, without its break and what stands before it on standard error.
  void write(std::string_view line) noexcept;

 private:
  KeptLog(std::array<UniqueFd, 2> files, UniqueFd system_log, std::string name)
      : files_(std::move(files)), system_log_(std::move(system_log)), name_(std::move(name)) {}
  void keep(std::string_view line) noexcept;
  [[nodiscard]] bool send(std::string_view line) noexcept;

  std::array<UniqueFd, 2> files_;
  std::size_t current_ = 0;      // the one that is written to
  std::size_t used_bytes_ = 0;   // of it
  UniqueFd system_log_;          // a socket
  std::uint64_t not_taken_ = 0;  // lines, by the system's log
  std::string name_;             // of the interface
  std::string line_;             // as it is written; its memory is kept
};

/// A line that was kept.
struct KeptLine {
  std::string time;  // UTC, as 2027-01-31T18:00:00.123456Z
  std::string text;
};
/// The last lines of such a log, oldest first; none where there is none.
[[nodiscard]] std::vector<KeptLine> read_kept_log(const std::string& path);

/// Where the log of an interface is.
[[nodiscard]] std::string kept_log_path(const std::string& interface);

}  // namespace ferrule::io
