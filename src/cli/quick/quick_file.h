// Configuration files of wg-quick's: where they are, and what they say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/terminal/command.h"
#include "quick/quick_file.h"

namespace ferrule::cli {

using quick::QuickFile;
using quick::QuickPlace;

/// Finds a file by the name of its interface, in /etc/wireguard, or by its own path, which ends with
/// NAME.conf. Says what is wrong; then there is no file.
[[nodiscard]] std::optional<QuickPlace> find_quick_file(Console& console,
                                                        std::string_view argument);
/// The same, and reads it.
[[nodiscard]] std::optional<QuickFile> read_quick_file(Console& console, std::string_view argument);
/// A file that was read already. The interface is called as it is, or, where that is no name for one, wg0:
/// for interfaces that only programs inside see.
[[nodiscard]] std::optional<QuickFile> read_quick_text(Console& console, const std::string& path,
                                                       std::string_view text);
/// The same of what comes on standard input.
[[nodiscard]] std::optional<QuickFile> read_quick_input(Console& console);

constexpr std::string_view kStandardInput = "standard input";

}  // namespace ferrule::cli
