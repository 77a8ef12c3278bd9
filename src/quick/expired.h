// Peers that an interface comes up without, since their day has come.
#pragma once

#include "control/named_peers.h"
#include "files/listener.h"
#include "quick/failure.h"
#include "quick/quick_file.h"

namespace ferrule::quick {

/// Takes them out of the configuration, and says so. The file stays as it is. Fails where a date can't be
/// read: nobody knows whether the peer may come in. Dates of disabled peers do not matter here; one that
/// is no peer's is only spoken of.
[[nodiscard]] Attempt<void> leave_out_expired(QuickFile& file, control::Date now,
                                              files::Listener& listener);

}  // namespace ferrule::quick
