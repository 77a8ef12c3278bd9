// What a proxy reads: a file of wg-quick's, or of wireproxy's.
#pragma once

#include <optional>
#include <string>

#include "cli/quick/quick_file.h"
#include "cli/terminal/command.h"
#include "proxy/settings.h"

namespace ferrule::cli {

/// Reads the file, and adds to the settings what it offers. None: what is wrong was said.
[[nodiscard]] std::optional<QuickFile> read_proxy_file(Console& console,
                                                       const std::string& argument,
                                                       proxy::ProxySettings& settings);

}  // namespace ferrule::cli
