// Two connections that carry each other's bytes.
#pragma once

#include <functional>
#include <string>

#include "io/linux/fd.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Carries bytes both ways until both have ended: a side that ends is told to the other, and the other
/// direction goes on; a side that breaks (RST) breaks the other. A slow reader is waited for: no more than
/// kBufferBytes is held each way, and kAllBuffersBytes of all, and then the sender has to wait. `first`: what
/// the client has said already, for inside. It lives by itself; `ended` is called at its end.
void start_relay(Services& services, io::UniqueFd client, io::UniqueFd inside, std::string first,
                 std::function<void()> ended = {});

}  // namespace ferrule::proxy
