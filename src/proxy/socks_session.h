// A client of the SOCKS server.
#pragma once

#include "io/linux/fd.h"
#include "proxy/credentials.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Serves it by itself. `inner` are the tunnel's own addresses, for BIND. Keeps the references.
void serve_socks(Services& services, Credentials& credentials, const std::vector<IpAddress>& inner,
                 io::UniqueFd client);

}  // namespace ferrule::proxy
