// Names of peers that are looked up again while the peers do not answer: dynamic DNS.
#pragma once

#include "cli/quick/quick_file.h"
#include "cli/terminal/command.h"
#include "quick/transaction.h"

namespace ferrule::cli {

/// Where a peer of the file is a name: starts `resolve --follow` in the background, which ends with
/// the interface. What went wrong is said.
[[nodiscard]] bool follow_names(Console& console, const QuickFile& file,
                                quick::Run run = quick::Run::real);

/// `resolve [--follow] [--json] [--after SECONDS] INTERFACE|FILE`
int run_resolve(Console& console, Arguments arguments);

}  // namespace ferrule::cli
