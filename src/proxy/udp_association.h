// UDP ASSOCIATE of SOCKS 5: datagrams of a client, to and from anywhere inside.
#pragma once

#include <cstdint>

#include "base/net.h"
#include "io/linux/fd.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Lives as long as the client's connection. Takes datagrams at `outside` from the client's address, and from
/// `port` if that is not 0; else from the port that the first one comes from. Whatever they go to, they come
/// from one address and port inside, for as long as none is silent for kMappingLife.
void start_association(Services& services, io::UniqueFd client, io::UniqueFd outside,
                       const IpAddress& client_address, std::uint16_t port);

}  // namespace ferrule::proxy
