// From the name of a host to its address.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/net.h"
#include "control/values.h"
#include "files/listener.h"

namespace ferrule::files {

/// Why a name has no address now, and whether asking again later is of no use.
struct LookupFailure {
  std::string why;
  bool is_final = false;
};

/// The addresses of a host, the best one first, each with the port. Asks once.
[[nodiscard]] std::expected<std::vector<Endpoint>, LookupFailure> look_up(
    const control::HostPort& host_port);

/// The same, as often as WG_ENDPOINT_RESOLUTION_RETRIES says, if it says a number, else once: who asks
/// has somebody that goes on. Fails with the reason.
[[nodiscard]] std::expected<std::vector<Endpoint>, std::string> look_up_patiently(
    Listener& listener, const control::HostPort& host_port);

/// Looks up a host and its port. While the resolver says that it may know later, it is asked again,
/// WG_ENDPOINT_RESOLUTION_RETRIES times (15, or `infinity`), each after a longer wait, which is said.
/// Fails with why, in wg's words.
[[nodiscard]] std::expected<Endpoint, std::string> resolve(Listener& listener,
                                                           const control::HostPort& host_port);

}  // namespace ferrule::files
