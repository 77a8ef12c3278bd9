#include "crypto/random.h"

// clang-format off: the second needs the first.
#include <windows.h>
#include <bcrypt.h>
// clang-format on

#include <algorithm>
#include <cstddef>

namespace ferrule::crypto {

namespace {

constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // its sizes have 32 bits

}  // namespace

bool SystemRng::fill(MutBytes out) noexcept {
  while (!out.empty()) {
    const MutBytes part = out.first(std::min(out.size(), kMostAtOnce));
    const NTSTATUS status = BCryptGenRandom(nullptr, part.data(), static_cast<ULONG>(part.size()),
                                            BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    if (!BCRYPT_SUCCESS(status)) return false;
    out = out.subspan(part.size());
  }
  return true;
}

}  // namespace ferrule::crypto
