// The system's randomness.
#pragma once

#include "base/rng.h"

namespace ferrule::crypto {

/// What each system has for keys (getrandom, arc4random_buf, BCryptGenRandom). Thread-safe. `fill` waits
/// until the system's RNG is seeded (P35), and is false when the system refuses.
class SystemRng final : public Rng {
 public:
  [[nodiscard]] bool fill(MutBytes out) noexcept override;
};

}  // namespace ferrule::crypto
