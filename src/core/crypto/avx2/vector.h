// 32 bytes in a register.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "crypto/avx2/target.h"

namespace ferrule::crypto::avx2 {

using Vec = __m256i;

constexpr std::size_t kVecSize = sizeof(Vec);

FERRULE_AVX2_INLINE Vec load(const void* from) noexcept {
  return _mm256_loadu_si256(static_cast<const Vec*>(from));
}

FERRULE_AVX2_INLINE void store(void* to, Vec value) noexcept {
  _mm256_storeu_si256(static_cast<Vec*>(to), value);
}

/// `word` in each of the eight lanes.
FERRULE_AVX2_INLINE Vec broadcast(std::uint32_t word) noexcept {
  return _mm256_set1_epi32(static_cast<int>(word));
}

/// All ones in the lanes from `lane` on, zeros in those below.
FERRULE_AVX2_INLINE Vec lanes_from(unsigned lane) noexcept {
  const Vec places = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 8);
  return _mm256_cmpgt_epi32(places, broadcast(lane));
}

/// The lanes of `yes` where `which` is all ones, those of `no` elsewhere.
FERRULE_AVX2_INLINE Vec select(Vec which, Vec yes, Vec no) noexcept {
  return _mm256_blendv_epi8(no, yes, which);
}

/// Adds (exclusive or) a word of this type, if `count` says that there is one left, and moves on.
template <class Word>
FERRULE_AVX2_INLINE void add_word(std::uint8_t*& data, const std::uint8_t*& stream,
                                  std::size_t count) noexcept {
  if ((count & sizeof(Word)) == 0) return;
  Word text;
  Word key;
  std::memcpy(&text, data, sizeof text);
  std::memcpy(&key, stream, sizeof key);
  text = static_cast<Word>(text ^ key);
  std::memcpy(data, &text, sizeof text);
  data += sizeof text;
  stream += sizeof text;
}

/// Adds (exclusive or) `count` bytes of key stream to `data`. Touches no other byte of it.
FERRULE_AVX2_INLINE void add_bytes(std::uint8_t* data, const std::uint8_t* stream,
                                   std::size_t count) noexcept {
  for (; count >= kVecSize; count -= kVecSize, data += kVecSize, stream += kVecSize) {
    store(data, _mm256_xor_si256(load(data), load(stream)));
  }
  __extension__ using Wide = unsigned __int128;
  add_word<Wide>(data, stream, count);
  add_word<std::uint64_t>(data, stream, count);
  add_word<std::uint32_t>(data, stream, count);
  add_word<std::uint16_t>(data, stream, count);
  add_word<std::uint8_t>(data, stream, count);
}

}  // namespace ferrule::crypto::avx2
