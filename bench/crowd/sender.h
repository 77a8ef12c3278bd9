// UDP packets into the tunnel, to one member after the other.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/error.h"

namespace ferrule::bench {

struct Sent {
  std::uint64_t packets = 0;
  double seconds = 0.0;
};

/// As many as the interface takes in `seconds`, or until `stop`.
[[nodiscard]] Result<Sent> send_round_robin(std::uint32_t members, double seconds,
                                            const std::atomic<bool>& stop);

}  // namespace ferrule::bench
