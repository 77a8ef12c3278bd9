// Text on its way to a terminal, a pipe or a file.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "control/wiped_text.h"

namespace ferrule::files {

/// Collects text and writes it to a file descriptor, which stays its owner's. Keys may go through
/// `write`: what was collected is wiped once written, which the C library's buffers would not be.
/// (`print` makes a text of its own: not for keys.)
class Output {
 public:
  /// In place of a file descriptor: the text is kept until `text` is asked for it.
  static constexpr int kNowhere = -1;

  explicit Output(int fd) noexcept : fd_(fd) {}

  void write(std::string_view text);
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }

  /// Writes what was collected. 0, or the errno of the first write that ever failed: from then on
  /// nothing is written.
  int flush();
  /// What was collected and not written yet.
  [[nodiscard]] std::string_view text() const noexcept { return text_.view(); }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  void send(std::string_view text);

  int fd_;
  int error_ = 0;
  control::WipedText text_;
};

}  // namespace ferrule::files
