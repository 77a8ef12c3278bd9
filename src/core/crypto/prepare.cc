#include "crypto/prepare.h"

#include "crypto/aead.h"
#include "crypto/sodium.h"

namespace ferrule::crypto {

void prepare_libraries() noexcept {
  ensure_sodium();
  (void)best_aead_backend();
}

}  // namespace ferrule::crypto
