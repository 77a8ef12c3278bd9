// ChaCha20 (RFC 8439 §2.3) on eight blocks at once, a block a lane, with Poly1305 of other blocks
// between its rounds. Lanes are independent: each has its key, nonce and block counter, so that one
// pass may serve several packets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx2/authenticator.h"
#include "crypto/avx2/lanes.h"
#include "crypto/batch/plan.h"

namespace ferrule::crypto::avx2 {

/// The key stream of a pass: block i is that of lane i.
struct Keystream {
  alignas(kVecSize) std::uint8_t block[kLanes][batch::kBlockSize];
};

/// Makes the key stream of a pass, and meanwhile, as far as it goes, what `beside` has to do.
FERRULE_AVX2 void make_keystream(const LaneInputs& inputs, Keystream& out,
                                 Authenticator& beside) noexcept;

}  // namespace ferrule::crypto::avx2
