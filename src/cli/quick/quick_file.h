// Configuration files of wg-quick's: where they are, and what they say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/terminal/command.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"

namespace ferrule::cli {

/// A file, and the interface that it is for. Move-only, since it holds keys.
struct QuickFile {
  std::string interface;
  std::string path;   // without symbolic links
  std::string given;  // as it was named: the interface has its name from there
  control::ConfDocument document;
  control::Configuration configuration;
};

/// Where a file and its interface are.
struct QuickPlace {
  std::string interface;
  std::string path;   // without symbolic links
  std::string given;  // with them
};
/// Finds a file by the name of its interface, in /etc/wireguard, or by its own path, which ends with
/// NAME.conf. Says what is wrong; then there is no file.
[[nodiscard]] std::optional<QuickPlace> find_quick_file(Console& console,
                                                        std::string_view argument);
/// The same, and reads it.
[[nodiscard]] std::optional<QuickFile> read_quick_file(Console& console, std::string_view argument);

/// Says what went wrong with a value of the file, and shows the line: the last one of `key` that
/// holds `value`, or else the last one of `key`.
void report_at(Console& console, const QuickFile& file, std::string_view key,
               std::string_view value, std::string_view what);

}  // namespace ferrule::cli
