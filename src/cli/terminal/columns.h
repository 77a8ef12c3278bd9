// Text by the columns that it takes on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ferrule::cli {

/// Characters of East Asia take two, those that combine with others none. Text must be UTF-8; the locale
/// does not matter.
[[nodiscard]] std::size_t columns_of(std::string_view text);
/// As much from the start as fits.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);
/// Within so many columns, with `mark`, which takes one, for what found no room.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns,
                                    std::string_view mark = "…");
/// How wide the terminal is; 80 where there is none.
[[nodiscard]] std::size_t terminal_columns(int fd);
/// How many lines it has; 24 where there is none.
[[nodiscard]] std::size_t terminal_rows(int fd);
/// Exactly so wide.
[[nodiscard]] std::string padded(std::string_view text, std::size_t columns);
/// With a question mark for what is not ASCII.
[[nodiscard]] std::string in_ascii(std::string_view text);

}  // namespace ferrule::cli
