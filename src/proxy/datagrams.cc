#include "proxy/datagrams.h"

#include <cerrno>

#include "proxy/limits.h"

namespace ferrule::proxy {

std::optional<netstack::Datagram> receive_datagram(netstack::Reach& way, int socket) {
  for (unsigned i = 0; i < kDatagramsPerTurn; ++i) {
    Result<netstack::Datagram> came = way.receive(socket);
    if (came) return *came;
    const int error = came.error().code;
    if (error != ECONNREFUSED && error != EHOSTUNREACH && error != ENETUNREACH &&
        error != EMSGSIZE) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace ferrule::proxy
