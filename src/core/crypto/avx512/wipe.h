// Leaving nothing behind: what the functions of this folder spill to the stack, and what stays in
// the vector registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx512/vector.h"

namespace ferrule::crypto::avx512 {

/// How deep below their caller the functions of the AEAD reach. A test looks at what they leave.
constexpr std::size_t kStackDepth = 3072;

/// Zeroes all vector registers.
FERRULE_AVX512 void wipe_registers() noexcept;

/// Overwrites `vectors` vectors of 64 bytes in a way that the compiler may neither leave out nor turn
/// into a call or a string instruction, which would take twice as long.
FERRULE_AVX512_INLINE void wipe(void* memory, std::size_t vectors) noexcept {
  auto* bytes = static_cast<std::uint8_t*>(memory);
  for (std::size_t i = 0; i < vectors; ++i) {
    asm volatile("vmovdqu64 %1, (%0)" : : "r"(bytes + i * kVecSize), "v"(zero()) : "memory");
  }
}

/// Overwrites `Depth` bytes of the stack, from the caller's frame downwards.
template <std::size_t Depth = kStackDepth>
__attribute__((noinline)) FERRULE_AVX512 void wipe_stack() noexcept {
  alignas(kVecSize) std::uint8_t area[Depth];
  wipe(area, Depth / kVecSize);
}

}  // namespace ferrule::crypto::avx512
