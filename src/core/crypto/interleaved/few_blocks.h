// ChaCha20 (RFC 8439 §2.3) on a few blocks, for packets that come alone, where the machine can do that
// in less time than it takes to make a pass over all lanes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/interleaved/chacha.h"

namespace ferrule::crypto::interleaved {

/// What a block of key stream is made from.
struct BlockStart {
  const AeadKey* key;
  std::uint64_t nonce;
  std::uint32_t block;
};

/// Makes the blocks of 1 to kFewBlocks starts, and may write as many of `out`, whatever is in those beyond.
/// A machine whose kFewBlocks is zero has no such function.
FERRULE_VECTOR void make_few_blocks(std::span<const BlockStart> starts, Keystream& out) noexcept;

}  // namespace ferrule::crypto::interleaved
