// Devices as Prometheus reads them.
#pragma once

#include <string>

#include "monitor/snapshot.h"

namespace ferrule::monitor {

/// The text exposition format, version 0.0.4. Names and labels of peers are those of the WireGuard
/// exporters that are in use, so that their dashboards fit; `ferrule_...` is what they don't have.
[[nodiscard]] std::string metrics_text(const Snapshot& snapshot);

}  // namespace ferrule::monitor
