// /etc as programs inside a tunnel see it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "netstack/linux/namespace.h"

namespace ferrule::netstack {

/// In a mount namespace of one's own: puts these files in the place of the machine's, and keeps names from
/// being asked for beside the tunnel: by nsswitch.conf, and of daemons that answer at sockets. What can't
/// be done, and is no reason to give up, is added to `notes`.
[[nodiscard]] Result<void> use_resolver_files(const ResolverFiles& files,
                                              std::vector<std::string>& notes);

/// The text of an nsswitch.conf in which names of hosts come from files and DNS alone.
[[nodiscard]] std::string without_other_resolvers(std::string_view nsswitch);

}  // namespace ferrule::netstack
