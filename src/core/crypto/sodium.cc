#include "crypto/sodium.h"

#include <sodium.h>

#include "base/check.h"

namespace ferrule::crypto {

void ensure_sodium() noexcept {
  static const bool ready = sodium_init() >= 0;
  FERRULE_CHECK(ready);
}

}  // namespace ferrule::crypto
