// Adding key stream to data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "crypto/batch/plan.h"
#include "crypto/interleaved/machine.h"

namespace ferrule::crypto::interleaved {

/// Adds (exclusive or) a word of this type, if `count` says that there is one left, and moves on.
template <class Word>
FERRULE_VECTOR_INLINE void add_word(std::uint8_t*& data, const std::uint8_t*& stream,
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

/// Adds (exclusive or) `kVectors` vectors of key stream to data.
template <std::size_t kVectors>
FERRULE_VECTOR_INLINE void add_vectors(std::uint8_t* data, const std::uint8_t* stream) noexcept {
  Vec text[kVectors];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kVectors; ++i) {
    text[i] = load(data + i * kVecSize) ^ load(stream + i * kVecSize);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kVectors; ++i) store(data + i * kVecSize, text[i]);
}

/// Adds (exclusive or) `count` bytes of key stream to `data`. Touches no other byte of it.
FERRULE_VECTOR_INLINE void add_bytes(std::uint8_t* data, const std::uint8_t* stream,
                                     std::size_t count) noexcept {
  constexpr std::size_t kBlock = batch::kBlockSize;
  for (; count >= kBlock; count -= kBlock, data += kBlock, stream += kBlock) {
    add_vectors<kBlock / kVecSize>(data, stream);
  }
  for (; count >= kVecSize; count -= kVecSize, data += kVecSize, stream += kVecSize) {
    add_vectors<1>(data, stream);
  }
  __extension__ using Wide = unsigned __int128;
  add_word<Wide>(data, stream, count);
  add_word<std::uint64_t>(data, stream, count);
  add_word<std::uint32_t>(data, stream, count);
  add_word<std::uint16_t>(data, stream, count);
  add_word<std::uint8_t>(data, stream, count);
}

}  // namespace ferrule::crypto::interleaved
