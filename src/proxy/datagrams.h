// Datagrams at sockets that never wait.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/net.h"

namespace ferrule::proxy {

struct Datagram {
  Endpoint from;
  Bytes bytes;  // good until the next call
};
/// The next one that has come; none: nothing has.
[[nodiscard]] std::optional<Datagram> receive_datagram(int socket);

/// Sends one, of two parts; to nobody: to whom the socket speaks with. False: it is lost.
bool send_datagram(int socket, const Endpoint& to, std::string_view head, Bytes rest);

}  // namespace ferrule::proxy
