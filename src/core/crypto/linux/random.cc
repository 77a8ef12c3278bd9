#include "crypto/random.h"

#include <sys/random.h>

#include <cerrno>

namespace ferrule::crypto {

bool SystemRng::fill(MutBytes out) noexcept {
  while (!out.empty()) {
    // Without flags it waits for the seed (P35) and never draws from an unseeded pool. Requests
    // over 256 bytes may come back short, and a signal may interrupt the wait.
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace ferrule::crypto
