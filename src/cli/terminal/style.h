// Colours, and numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferrule::cli {

/// Whether text for `fd` may have colours: WG_COLOR_MODE (always, never) decides, then NO_COLOR, then
/// whether it is a terminal.
[[nodiscard]] bool wants_color(int fd);

enum class Color { green, yellow, cyan, red };

/// Text as wg writes it, with its colours or without. Value type.
class Style {
 public:
  explicit Style(bool colored) noexcept : colored_(colored) {}

  [[nodiscard]] std::string reset() const { return code("\x1b[0m"); }
  [[nodiscard]] std::string colored(Color color, std::string_view text) const;
  [[nodiscard]] std::string bold(std::string_view text) const;
  [[nodiscard]] std::string bold(Color color, std::string_view text) const;

  /// "3 minutes, 1 second".
  [[nodiscard]] std::string duration(std::uint64_t seconds) const;
  /// "Now", "3 minutes, 1 second ago", or that the clock has been set back.
  [[nodiscard]] std::string ago(std::int64_t then_s, std::int64_t now_s) const;
  /// "1.50 MiB".
  [[nodiscard]] std::string size(std::uint64_t bytes) const;

 private:
  [[nodiscard]] std::string code(std::string_view sequence) const {
    return colored_ ? std::string(sequence) : std::string();
  }

  bool colored_;
};

}  // namespace ferrule::cli
