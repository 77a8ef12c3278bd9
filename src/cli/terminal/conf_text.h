// Configuration files on their way in: what is wrong with them is said.
#pragma once

#include <optional>
#include <string>

#include "cli/terminal/command.h"
#include "control/conf_error.h"
#include "files/conf_file.h"

namespace ferrule::cli {

void print_errors(Console& console, const control::ConfErrors& errors);

/// Reads a file with wg-quick's keys. When that can't be done, says why and where.
[[nodiscard]] std::optional<files::ConfText> read_conf_or_say(Console& console,
                                                              const std::string& path);

/// Where the file of an interface is that is up: what /etc/wireguard has of its name, or else what it was
/// brought up by.
[[nodiscard]] std::string conf_of(const std::string& interface);

}  // namespace ferrule::cli
