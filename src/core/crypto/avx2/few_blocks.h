// ChaCha20 (RFC 8439 §2.3) on up to four blocks, for packets that come alone: a row of a block's
// state is half a register, so that a pass takes half the time of one over eight lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/avx2/chacha.h"

namespace ferrule::crypto::avx2 {

constexpr std::size_t kFewBlocks = 4;

/// What a block of key stream is made from.
struct BlockStart {
  const AeadKey* key;
  std::uint64_t nonce;
  std::uint32_t block;
};

/// Makes the blocks of 1 to 4 starts, and writes all four of `out`, whatever is in those beyond.
FERRULE_AVX2 void make_few_blocks(std::span<const BlockStart> starts, Keystream& out) noexcept;

}  // namespace ferrule::crypto::avx2
