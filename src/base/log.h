// Where messages for people go.
#pragma once

#include <string_view>

namespace ferrule {

enum class LogLevel { silent, error, verbose };

/// A sink for log lines. Lines never hold key bytes. Implementations are thread-safe.
class Log {
 public:
  virtual ~Log() = default;
  /// Whether a line of this level goes anywhere: ask before formatting on a hot path.
  [[nodiscard]] virtual bool wants(LogLevel level) const noexcept = 0;
  /// One line, without the line break.
  virtual void write(LogLevel level, std::string_view line) noexcept = 0;
};

}  // namespace ferrule
