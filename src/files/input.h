// Text from files.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.h"
#include "control/wiped_text.h"

namespace ferrule::files {

/// A configuration with a million peers has some 300 MB.
constexpr std::size_t kMaxFileBytes = std::size_t{512} << 20;

/// Reads until `to` is full or the input ends, and returns how much that was.
[[nodiscard]] std::size_t read_up_to(int fd, std::span<char> to);

/// True when what is left to read is nothing but `wanted` characters.
[[nodiscard]] bool rest_is(bool (*wanted)(char), int fd);

/// All that is left of it; `name` is for messages.
[[nodiscard]] Result<control::WipedText> read_fd(int fd, const std::string& name);
/// A whole file; pipes and /dev/stdin too.
[[nodiscard]] Result<control::WipedText> read_file(const std::string& path);

}  // namespace ferrule::files
