// Help, as all commands print it: within 80 columns, a line a word.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "cli/terminal/command.h"

namespace CLI {
class App;
}

namespace ferrule::cli {

constexpr std::size_t kHelpColumns = 80;

/// All commands, in groups.
[[nodiscard]] std::string overview(std::string_view program, std::span<const Command> commands);

/// How a command is called, what it is for, its words, and examples: the lines of the App's footer. Of the
/// subcommand that was named, or else of the App itself.
[[nodiscard]] std::string help_page(const CLI::App& app);

/// The text in lines of at most 80 columns. The first one goes on where `column` is; the others begin
/// there.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t column);

}  // namespace ferrule::cli
