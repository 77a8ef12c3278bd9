// What the help of `ferrule` says of the commands that it has from wg. As `wg` they have wg's own.
#pragma once

#include <string_view>

namespace ferrule::cli {

/// What stands behind "Usage: ferrule COMMAND"; "" for commands that are not wg's.
[[nodiscard]] std::string_view wg_help(std::string_view command) noexcept;

}  // namespace ferrule::cli
