// ChaCha20 (RFC 8439 §2.3) on up to 32 blocks at once, a block a lane. Lanes are independent: each
// has its key, nonce and block counter, so that one pass may serve several packets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx512/lanes.h"
#include "crypto/avx512/vector.h"

namespace ferrule::crypto::avx512 {

constexpr std::size_t kBlockSize = 64;
static_assert(kBlockSize == kVecSize);

/// The key stream of a pass: block i is that of lane i.
struct Keystream {
  alignas(kVecSize) std::uint8_t block[kMaxLanes][kBlockSize];
};

/// Lanes are worked on in eights.
constexpr unsigned lanes_touched(unsigned lanes) noexcept { return (lanes + 7) / 8 * 8; }

/// Makes the key stream of the first `lanes` lanes (1 to 32), and writes those of lanes_touched(lanes),
/// whatever the inputs of the others hold.
FERRULE_AVX512 void make_keystream(const LaneInputs& inputs, unsigned lanes,
                                   Keystream& out) noexcept;

}  // namespace ferrule::crypto::avx512
