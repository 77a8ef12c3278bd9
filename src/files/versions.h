// Earlier contents of configuration files, kept for `undo`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/wiped_text.h"

namespace ferrule::files {

/// How many of a file are kept; with one more the oldest goes.
constexpr std::size_t kMaxVersions = 10;
/// Of a larger file none are.
constexpr std::size_t kMaxVersionBytes = std::size_t{8} << 20;
/// Beside the file; readable by its owner alone, as all that is in it.
constexpr const char* kVersionsFolder = ".undo";

/// What a file was until an edit replaced it. Value type.
struct Version {
  std::uint64_t number = 0;  // later ones have greater numbers
  std::int64_t until_s = 0;  // when it was replaced, in Unix time
  std::string path;          // of what was kept
};

/// The newest first. Of a symbolic link, those of what it leads to.
[[nodiscard]] std::vector<Version> versions_of(const std::string& path);

/// Keeps what the file is now as its newest version. An Error where nothing can be kept beside it.
[[nodiscard]] Result<Version> keep_version(const std::string& path);
/// It is no version any more.
void forget_version(const Version& version);

/// Keeps a content that was undone, one of each file, and returns where.
[[nodiscard]] Result<std::string> keep_undone(const std::string& path,
                                              const control::WipedText& text);

}  // namespace ferrule::files
