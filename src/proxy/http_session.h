// A client of the HTTP proxy.
#pragma once

#include "io/linux/fd.h"
#include "proxy/credentials.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Serves it by itself. Keeps the references.
void serve_http(Services& services, Credentials& credentials, io::UniqueFd client);

}  // namespace ferrule::proxy
