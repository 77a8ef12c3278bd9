// What the daemon gives up once everything is open: from then on it can do little but its work.
#pragma once

#include <string>

#include "base/error.h"
#include "base/log.h"

namespace ferrule::daemon {

/// Drops capabilities, then takes the two steps below. Call with no other thread running: threads
/// started later inherit it. An Error means that the process is confined in part and must end. What the
/// kernel does not have is said in the log. Nothing of it can be undone.
/// In the folder that `state_directory` is a descriptor of, files can be made, written and replaced; -1:
/// there is none.
[[nodiscard]] Result<void> enter_sandbox(const std::string& socket_directory, Log& log,
                                         int state_directory = -1);

/// Landlock: no file can be opened, made or changed; files in `directory` can be removed. No TCP, no
/// signals to others, no abstract sockets of others. Returns the version of the kernel's Landlock, 0
/// when it has none and nothing was done.
[[nodiscard]] Result<int> restrict_files(const std::string& directory, int state_directory = -1);

/// seccomp: any system call that is not on the list in allowed_calls.cc ends the process with SIGSYS.
/// Files are opened by `state_directory` alone, and not by path.
[[nodiscard]] Result<void> restrict_calls(int state_directory = -1);

}  // namespace ferrule::daemon
