// What `doctor` is looking at, on a terminal: a line a step, with a mark when it is done.
#pragma once

#include "cli/terminal/command.h"
#include "cli/terminal/style.h"
#include "diagnosis/gather.h"

namespace ferrule::cli {

/// Writes to the console's output while it lives; nothing where that is no terminal. Marks are signs
/// where the terminal has colours and its locale is UTF-8, and else words.
class Checklist {
 public:
  explicit Checklist(Console& console);

  /// To be called with what happens; refers to this checklist.
  [[nodiscard]] diagnosis::Progress progress();

 private:
  void begin(diagnosis::Step step);
  void end(diagnosis::Step step, const diagnosis::DoctorFacts& facts);

  Output& out_;
  bool is_shown_;
  bool is_redrawn_;  // the terminal can go back to the beginning of a line
  bool has_signs_;
  Style style_;
};

}  // namespace ferrule::cli
