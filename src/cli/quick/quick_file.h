// Configuration files of wg-quick's, found and read (quick/find_file.h); what is wrong is printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/terminal/command.h"
#include "quick/quick_file.h"

namespace ferrule::cli {

using quick::QuickFile;
using quick::QuickPlace;

// Each says what is wrong; then there is no file.

[[nodiscard]] std::optional<QuickPlace> find_quick_file(Console& console,
                                                        std::string_view argument);
[[nodiscard]] std::optional<QuickFile> read_quick_file(Console& console, std::string_view argument);
[[nodiscard]] std::optional<QuickFile> read_quick_text(Console& console, const std::string& path,
                                                       std::string_view text);
/// What comes on standard input.
[[nodiscard]] std::optional<QuickFile> read_quick_input(Console& console);

constexpr std::string_view kStandardInput = "standard input";

}  // namespace ferrule::cli
