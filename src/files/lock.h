// Locks between processes of this tool.
#pragma once

#include <string>

#include "base/error.h"
#include "io/linux/fd.h"
#include "io/linux/run_folder.h"

namespace ferrule::files {

using io::kRunFolder;
using io::make_run_folder;

enum class Patience { none, endless };

/// Takes a lock, a file in kRunFolder, for the life of what it returns. EWOULDBLOCK: somebody has it, and
/// we don't wait. Other Errors: there can be no lock. Only root can.
[[nodiscard]] Result<io::UniqueFd> take_lock(const std::string& name, Patience patience);

}  // namespace ferrule::files
