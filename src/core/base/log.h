// Where messages for people go.
#pragma once

#include <exception>
#include <initializer_list>
#include <string>
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

  /// One line made of parts. Without memory it is lost: the line is what can be spared.
  void write_parts(LogLevel level, std::initializer_list<std::string_view> parts) noexcept {
    if (!wants(level)) return;
    try {
      std::string line;
      for (const std::string_view part : parts) line += part;
      write(level, line);
    } catch (const std::exception&) {
    }
  }
};

}  // namespace ferrule
