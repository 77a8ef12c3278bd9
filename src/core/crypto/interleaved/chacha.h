// ChaCha20 (RFC 8439 §2.3) on several blocks at once, a block a lane, with Poly1305 of other blocks
// between its rounds. Lanes are independent: each has its key, nonce and block counter, so that one
// pass may serve several packets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/batch/plan.h"
#include "crypto/interleaved/authenticator.h"
#include "crypto/interleaved/lanes.h"

namespace ferrule::crypto::interleaved {

constexpr std::uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
constexpr unsigned kDoubleRounds = 10;

/// The key stream of a pass: block i is that of lane i.
struct Keystream {
  alignas(kVecSize) std::uint8_t block[kLanes][batch::kBlockSize];
};

/// Makes the key stream of a pass, and meanwhile, as far as it goes, what `beside` has to do.
FERRULE_VECTOR void make_keystream(const LaneInputs& inputs, Keystream& out,
                                   Authenticator& beside) noexcept;

}  // namespace ferrule::crypto::interleaved
