// Leaving nothing behind: what the functions of this folder spill to the stack, and what stays in
// registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/neon/vector.h"

namespace ferrule::crypto::neon {

/// How deep below their caller the functions of the AEAD reach. A test looks at what they leave.
constexpr std::size_t kStackDepth = 1536;

/// Zeroes all vector registers, and the general ones that a call need not preserve: Poly1305 works in
/// those.
void wipe_registers() noexcept;

/// Overwrites `vectors` vectors of 16 bytes in a way that the compiler may neither leave out nor turn
/// into a call.
FERRULE_VECTOR_INLINE void wipe(void* memory, std::size_t vectors) noexcept {
  auto* bytes = static_cast<std::uint8_t*>(memory);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < vectors; ++i) {
    asm volatile("stp xzr, xzr, [%0]" : : "r"(bytes + i * kVecSize) : "memory");
  }
}

/// Overwrites the stack, from the caller's frame downwards.
__attribute__((noinline)) inline void wipe_stack() noexcept {
  alignas(kVecSize) std::uint8_t area[kStackDepth];
  wipe(area, kStackDepth / kVecSize);
}

}  // namespace ferrule::crypto::neon
