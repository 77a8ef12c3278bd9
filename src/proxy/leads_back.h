// Targets inside that are the proxy itself.
#pragma once

#include "proxy/services.h"

namespace ferrule::proxy {

/// Whether an address is one of this proxy's own inside, or of its loopback there. Nobody else is there, and what
/// went there would come back by one of its own ports, and go round.
[[nodiscard]] bool leads_back(const Services& services, const netstack::Reach& way,
                              const IpAddress& to) noexcept;

}  // namespace ferrule::proxy
