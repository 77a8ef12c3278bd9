// The one place that reads clocks.
#pragma once

#include "base/time.h"

namespace ferrule::io {

/// The boot clock, which runs on while the machine sleeps, and the wall clock. Thread-safe; cannot fail.
[[nodiscard]] Now now() noexcept;

}  // namespace ferrule::io
