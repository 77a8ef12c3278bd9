// Text from files.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "base/keys.h"
#include "cli/terminal/command.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

/// A configuration with a million peers has some 300 MB.
constexpr std::size_t kMaxFileBytes = std::size_t{512} << 20;

/// Reads until `to` is full or the input ends, and returns how much that was.
[[nodiscard]] std::size_t read_up_to(int fd, std::span<char> to);

/// True when what is left to read is nothing but `wanted` characters.
[[nodiscard]] bool rest_is(bool (*wanted)(char), int fd);

/// A whole file; pipes and /dev/stdin too.
[[nodiscard]] Result<control::WipedText> read_file(const std::string& path);

/// The key in a file: 44 characters of base64, with white space behind. An empty file is the zero
/// key. When it is none, says why and returns nothing.
[[nodiscard]] std::optional<Secret<kKeySize>> read_key_file(Console& console,
                                                            const std::string& path);

}  // namespace ferrule::cli
