// Locks between processes of this tool.
#pragma once

#include <string>

#include "base/error.h"
#include "io/linux/fd.h"

namespace ferrule::files {

/// Root's folder for what is to be known of interfaces while they are up: nobody else can write there.
constexpr const char* kRunFolder = "/run/ferrule";

/// Makes kRunFolder if it is not there; an Error where it can't be made, or is not root's alone to write.
[[nodiscard]] Result<void> make_run_folder();

enum class Patience { none, endless };

/// Takes a lock, a file in kRunFolder, for the life of what it returns. EWOULDBLOCK: somebody has it, and
/// we don't wait. Other Errors: there can be no lock. Only root can.
[[nodiscard]] Result<io::UniqueFd> take_lock(const std::string& name, Patience patience);

}  // namespace ferrule::files
