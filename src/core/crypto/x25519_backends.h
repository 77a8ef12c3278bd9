// Internal to this folder: the ways to do a batch of multiplications. All give the same results.
#pragma once

#include <cstddef>
#include <span>

#include "crypto/x25519.h"

namespace ferrule::crypto {

using X25519Batch = void (*)(std::span<X25519Job> jobs) noexcept;

/// How many the vector code does in the time of one.
constexpr std::size_t kX25519Lanes = 8;

/// Side by side, or null where this CPU or this build can't.
[[nodiscard]] X25519Batch avx512_x25519() noexcept;

/// One after the other, on any CPU.
void sodium_x25519(std::span<X25519Job> jobs) noexcept;

}  // namespace ferrule::crypto
