// Sockets in other network namespaces.
#pragma once

#include "base/error.h"
#include "io/linux/fd.h"

namespace ferrule::io {

/// socket(2), CLOEXEC added, inside the network namespace that `namespace_fd` names; -1 means the
/// caller's own. A short-lived thread goes there, so that no other thread is affected. Entering
/// another namespace needs CAP_SYS_ADMIN.
[[nodiscard]] Result<UniqueFd> open_socket(int domain, int type, int protocol,
                                           int namespace_fd = -1);

/// Whether `namespace_fd` names the calling thread's network namespace. Also true when that can't be
/// found out.
[[nodiscard]] bool is_own_namespace(int namespace_fd) noexcept;

}  // namespace ferrule::io
