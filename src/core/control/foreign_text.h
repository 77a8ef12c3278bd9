// What people's editors put into files that is no text of a .conf file, though it looks like it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ferrule::control {

/// Why a whole file is no text, and what to do; none when it is. `file` is its name.
[[nodiscard]] std::optional<std::string> why_no_text(std::string_view text, std::string_view file);

/// A character that looks like a space, or like nothing, and is neither to any WireGuard tool.
struct OddSpace {
  std::size_t at = 0;
  std::size_t size = 0;
  std::string name;  // "U+00A0"
};
[[nodiscard]] std::optional<OddSpace> find_odd_space(std::string_view text);
/// Without such characters, and white space, around.
[[nodiscard]] std::string_view trimmed_of_odd_spaces(std::string_view text);
/// What to say of one.
[[nodiscard]] std::string odd_space_message(const OddSpace& space);

/// How a line begins that is a comment elsewhere: ";" or "//"; "" for any other.
[[nodiscard]] std::string_view foreign_comment(std::string_view line) noexcept;

}  // namespace ferrule::control
