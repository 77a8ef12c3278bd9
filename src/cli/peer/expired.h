// Peers that an interface comes up without, since their day has come.
#pragma once

#include "cli/terminal/command.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"

namespace ferrule::cli {

/// Takes them out of what was read from `document`, and says so. The file stays as it is. Where a date
/// can't be read nobody knows whether the peer may come in: false, with what is wrong said. Dates of
/// disabled peers do not matter here; one that is no peer's is only spoken of.
[[nodiscard]] bool leave_out_expired(Console& console, const control::ConfDocument& document,
                                     control::Configuration& configuration);

}  // namespace ferrule::cli
