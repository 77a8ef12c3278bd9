// Where the core's randomness comes from.
#pragma once

#include "base/bytes.h"

namespace ferrule {

/// A source of cryptographically secure random bytes. Implementations used by more than one thread
/// say whether they are thread-safe; the system's is, the simulator's seeded one is not.
class Rng {
 public:
  virtual ~Rng() = default;
  /// Fills `out`. False when no randomness can be had (not seeded yet, say): the caller then drops
  /// what it was about to do, and never goes on with what `out` holds.
  [[nodiscard]] virtual bool fill(MutBytes out) noexcept = 0;
};

}  // namespace ferrule
