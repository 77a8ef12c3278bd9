// Where the programs that configure a device find it (P100, P103).
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "io/stream.h"

namespace ferrule::service {

inline constexpr const char* kUapiSocketDirectory = "/var/run/wireguard";

/// "/var/run/wireguard/<interface>.sock".
[[nodiscard]] std::string uapi_socket_path(const std::string& interface,
                                           const std::string& directory = kUapiSocketDirectory);

/// Listens there, as io::listen_at does. An Error says whether the interface has a daemon already, and what whoever
/// has started this one without the right to can do.
[[nodiscard]] Result<std::unique_ptr<io::Listener>> listen_for_uapi(
    const std::string& interface, const std::string& directory = kUapiSocketDirectory);

}  // namespace ferrule::service
