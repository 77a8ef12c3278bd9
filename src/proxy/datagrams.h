// Datagrams as they come.
#pragma once

#include <optional>

#include "netstack/reach.h"

namespace ferrule::proxy {

/// The next one that has come; none: nothing has. What became of earlier ones that were sent is passed over.
[[nodiscard]] std::optional<netstack::Datagram> receive_datagram(netstack::Reach& way, int socket);

}  // namespace ferrule::proxy
