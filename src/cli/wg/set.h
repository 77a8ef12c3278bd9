// set, setconf, addconf and syncconf, as wg has them.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `set <interface> listen-port 51820 peer <key> allowed-ips 10.0.0.0/8 ...`: all of it, or nothing.
int run_set(Console& console, Arguments arguments);

/// A file of wg's keys takes the place of the device's configuration (`setconf`), is added to it
/// (`addconf`), or takes its place but for what stays the same, sessions too (`syncconf`).
int run_setconf(Console& console, Arguments arguments);

}  // namespace ferrule::cli
