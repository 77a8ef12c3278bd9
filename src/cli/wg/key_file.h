// A key in a file of its own, as wg takes them.
#pragma once

#include <optional>
#include <string>

#include "base/keys.h"
#include "cli/terminal/command.h"

namespace ferrule::cli {

/// The key in a file: 44 characters of base64, with white space behind. An empty file is the zero
/// key. When it is none, says why and returns nothing.
[[nodiscard]] std::optional<Secret<kKeySize>> read_key_file(Console& console,
                                                            const std::string& path);

}  // namespace ferrule::cli
