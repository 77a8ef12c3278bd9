// Whether all is well, for those who watch over programs: /readyz and /metrics.
#pragma once

#include <functional>
#include <string>

#include "proxy/listener.h"
#include "proxy/services.h"

namespace ferrule::proxy {

struct TunnelHealth {
  bool is_ready = false;
  std::string why;      // a line for people
  std::string metrics;  // of the tunnel, as Prometheus reads them
};

/// Answers GET and HEAD at `socket`, which listens; `look` tells of the tunnel each time.
[[nodiscard]] Listener serve_health(Services& services, io::UniqueFd socket,
                                    std::function<TunnelHealth()> look);

/// What was counted, as Prometheus reads it.
[[nodiscard]] std::string metrics_text(const Services& services);

}  // namespace ferrule::proxy
