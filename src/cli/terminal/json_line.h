// Small JSON objects, on one line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferrule::cli {

/// Collects members in the order in which they come. For texts without secrets.
class JsonLine {
 public:
  JsonLine& text(std::string_view name, std::string_view value);
  JsonLine& number(std::string_view name, std::int64_t value);
  JsonLine& flag(std::string_view name, bool value);
  /// `value` is JSON already.
  JsonLine& json(std::string_view name, std::string_view value);
  /// {"name": value, ...}
  [[nodiscard]] std::string to_string() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

}  // namespace ferrule::cli
