// What is wrong with a configuration file, where, and what was meant.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ferrule::control {

/// A mistake at a place in a file. Value type. Holds no key: `shown` is the line with anything that
/// may be one starred out, or "" where it is no text.
struct ConfError {
  std::string file;
  std::size_t line = 0;    // from 1
  std::size_t column = 0;  // from 1, in bytes
  std::size_t length = 0;  // of what is wrong, in bytes
  std::string message;     // "AllowdIPs is not a key of [Peer]; did you mean AllowedIPs?"
  std::string shown;

  /// "wg0.conf:7:1: <message>", then the line and a caret under the place.
  [[nodiscard]] std::string to_string() const;
};

using ConfErrors = std::vector<ConfError>;

}  // namespace ferrule::control
