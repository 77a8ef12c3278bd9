// Leaving nothing behind: what the functions of this folder spill to the stack, and what stays in
// registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx2/vector.h"

namespace ferrule::crypto::avx2 {

/// How deep below their caller the functions of the AEAD reach. A test looks at what they leave.
constexpr std::size_t kStackDepth = 1536;

/// Zeroes all vector registers, and the general ones that a call need not preserve: Poly1305 works in
/// those.
FERRULE_VECTOR void wipe_registers() noexcept;

/// Overwrites `vectors` vectors of 32 bytes in a way that the compiler may neither leave out nor turn
/// into a call or a string instruction, which would take twice as long.
FERRULE_VECTOR_INLINE void wipe(void* memory, std::size_t vectors) noexcept {
  auto* bytes = static_cast<std::uint8_t*>(memory);
  for (std::size_t i = 0; i < vectors; ++i) {
    asm volatile("vmovdqu %1, (%0)"
                 :
                 : "r"(bytes + i * kVecSize), "x"(_mm256_setzero_si256())
                 : "memory");
  }
}

/// Overwrites the stack, from the caller's frame downwards.
__attribute__((noinline)) FERRULE_VECTOR inline void wipe_stack() noexcept {
  alignas(kVecSize) std::uint8_t area[kStackDepth];
  wipe(area, kStackDepth / kVecSize);
}

}  // namespace ferrule::crypto::avx2
