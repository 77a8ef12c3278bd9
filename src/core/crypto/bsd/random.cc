// Also macOS.
#include "crypto/random.h"

#include <cstdlib>

namespace ferrule::crypto {

// It can't fail: the kernel seeds it before the first program runs, and it is seeded anew after fork.
bool SystemRng::fill(MutBytes out) noexcept {
  arc4random_buf(out.data(), out.size());
  return true;
}

}  // namespace ferrule::crypto
