// Text as it may be shown: without what may be a key, and without what a terminal would act on.
#pragma once

#include <string>
#include <string_view>

namespace ferrule::control {

/// A line of a file, of the same length: runs of 20 or more characters of base64 or hex become stars,
/// also where they are in pieces (letter by letter, or with spaces between), and so does everything
/// from `secret_from` on. "" when the line is no text, since then nobody knows what it says.
[[nodiscard]] std::string without_keys(std::string_view line,
                                       std::size_t secret_from = std::string_view::npos);

/// A command, of which paths and long words stay: only what has the length of a key becomes stars.
[[nodiscard]] std::string command_without_keys(std::string_view command);

}  // namespace ferrule::control
