// Internal to this folder: a look at a backend before it is trusted.
#pragma once

#include "crypto/aead.h"

namespace ferrule::crypto {

/// Whether the backend makes of a few messages what libsodium makes of them, and opens those. The messages
/// are those that reach the ends of Poly1305's range, where libraries have had mistakes: OpenSSL's code for
/// 32-bit ARM with NEON (3.0 at least) gives wrong tags where the sum before the last reduction is 2^128-1
/// or 2^129-1. A peer would refuse such a packet, one in 2^127: what is at stake is that two ends agree,
/// and that a library which is broken in more than that is not used. Some microseconds.
[[nodiscard]] bool agrees_with_libsodium(const AeadBackend& backend) noexcept;

}  // namespace ferrule::crypto
