// 64 bytes in a register, and the loads and stores that touch no byte beyond a buffer's end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "crypto/avx512/target.h"

namespace ferrule::crypto::avx512 {

using Vec = __m512i;

constexpr std::size_t kVecSize = sizeof(Vec);

FERRULE_AVX512_INLINE Vec zero() noexcept { return _mm512_setzero_si512(); }

FERRULE_AVX512_INLINE Vec load(const void* from) noexcept { return _mm512_loadu_si512(from); }

FERRULE_AVX512_INLINE void store(void* to, Vec value) noexcept { _mm512_storeu_si512(to, value); }

/// A bit for each of the first `count` bytes of a vector; all of them for 64 and more.
FERRULE_AVX512_INLINE __mmask64 first_bytes(std::size_t count) noexcept {
  return _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(std::min(count, kVecSize)));
}

/// The first `count` bytes at `from`, at most 64, then zeros. Touches nothing else. No bytes are not
/// even asked for: from an unmapped page that would be a fault that the CPU takes its time to forget.
FERRULE_AVX512_INLINE Vec load_first(const void* from, std::size_t count) noexcept {
  if (count == 0) return zero();
  return _mm512_maskz_loadu_epi8(first_bytes(count), from);
}

/// Writes the first `count` bytes of `value`, at most 64. Touches nothing else.
FERRULE_AVX512_INLINE void store_first(void* to, std::size_t count, Vec value) noexcept {
  _mm512_mask_storeu_epi8(to, first_bytes(count), value);
}

/// Moves the eight quadwords of `value` up by `count` (0 to 8) and fills with what falls out at the
/// top: callers know that to be zero.
FERRULE_AVX512_INLINE Vec rotate_up(Vec value, unsigned count) noexcept {
  const Vec places = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm512_permutexvar_epi64(_mm512_sub_epi64(places, _mm512_set1_epi64(count)), value);
}

}  // namespace ferrule::crypto::avx512
