// A terminal that shows lines and gives keys: ncurses, and nothing else of ours knows it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/time.h"
#include "cli/top/view.h"

namespace ferrule::cli {

/// Takes the terminal over while it lives, and gives it back as it was. One at a time.
class Terminal {
 public:
  /// An Error when standard input and output are no terminal that can be drawn on.
  [[nodiscard]] static Result<std::unique_ptr<Terminal>> open();
  virtual ~Terminal() = default;

  [[nodiscard]] virtual TopScreen screen() const = 0;
  virtual void show(std::span<const Line> lines) = 0;
  /// The next key (a code point or a TopKey), or none within `timeout`, after a resize or a signal.
  [[nodiscard]] virtual std::optional<std::int32_t> key(Duration timeout) = 0;
};

}  // namespace ferrule::cli
