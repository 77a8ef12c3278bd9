// Internal to this folder: one function a backend. Each gives the backend, which lives as long as
// the program, or null where this CPU or this build can't run it.
#pragma once

#include "crypto/aead.h"

namespace ferrule::crypto {

[[nodiscard]] const AeadBackend* avx512_aead_backend() noexcept;
[[nodiscard]] const AeadBackend* interleaved_aead_backend() noexcept;
[[nodiscard]] const AeadBackend* openssl_aead_backend() noexcept;
[[nodiscard]] const AeadBackend* sodium_aead_backend() noexcept;

}  // namespace ferrule::crypto
