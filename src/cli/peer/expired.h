// Peers that an interface comes up without, since their day has come.
#pragma once

#include "cli/command.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"

namespace ferrule::cli {

/// Takes them out of what was read from `document`, and says so. The file stays as it is. A date that
/// can't be read is spoken of, and no more: the comment may be somebody else's.
void leave_out_expired(Console& console, const control::ConfDocument& document,
                       control::Configuration& configuration);

}  // namespace ferrule::cli
