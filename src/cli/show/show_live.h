// `ferrule show --watch`: the same again and again, on a terminal.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "cli/terminal/command.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

/// "--watch" is every second, "--watch=5" every five. None: it is no such word, or no time that can be
/// meant.
[[nodiscard]] std::optional<Duration> watch_interval(std::string_view word) noexcept;

/// Draws what `show` prints to the console, every `interval`, until a signal ends it. Returns the exit
/// status; ends at once when the output is no terminal, or when `show` fails the first time.
int show_live(Console& console, Duration interval, const std::function<int()>& show);

/// What draws `text` over whatever a terminal of so many rows shows: no line is left over, and the last
/// row tells how many lines found no room.
[[nodiscard]] control::WipedText frame_of(std::string_view text, std::size_t rows);

}  // namespace ferrule::cli
