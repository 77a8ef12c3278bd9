// Text by the columns that it takes on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ferrule::cli {

/// By the locale: characters of East Asia take two, those that combine with others none. Text must be
/// UTF-8.
[[nodiscard]] std::size_t columns_of(std::string_view text);
/// As much from the start as fits.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);
/// Exactly so wide.
[[nodiscard]] std::string padded(std::string_view text, std::size_t columns);
/// With a question mark for what is not ASCII.
[[nodiscard]] std::string in_ascii(std::string_view text);

}  // namespace ferrule::cli
