// An edited file, applied to a running interface.
#pragma once

#include <string>

#include "cli/terminal/command.h"
#include "quick/transaction.h"

namespace ferrule::cli {

/// `reload INTERFACE|FILE`: changes what differs, all of it or nothing, and prints what that was.
int run_reload(Console& console, Arguments arguments);

struct ReloadOptions {
  bool is_json = false;
  quick::Run run = quick::Run::real;
};
/// The same, of its words; the exit status.
[[nodiscard]] int reload_interface(Console& console, const std::string& argument,
                                   const ReloadOptions& options);

}  // namespace ferrule::cli
