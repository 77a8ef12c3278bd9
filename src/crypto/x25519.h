// Curve25519 (RFC 7748): DH, and the keys it takes (P1).
#pragma once

#include <optional>

#include "base/keys.h"
#include "base/rng.h"
#include "base/secret.h"

namespace ferrule::crypto {

using SharedSecret = Secret<32>;

/// Sets the bits that RFC 7748 §5 demands of a scalar.
void clamp(PrivateKey& key) noexcept;

/// The public key of `key`; X25519(key, 9).
[[nodiscard]] PublicKey public_key_of(const PrivateKey& key) noexcept;

/// DH(private, public). False when the result is all zero (a point of low order): the caller aborts
/// the handshake step. Constant time in both keys and the result.
[[nodiscard]] bool x25519(const PrivateKey& key, const PublicKey& peer, SharedSecret& out) noexcept;

/// A fresh clamped private key. None when the RNG fails.
[[nodiscard]] std::optional<PrivateKey> generate_private_key(Rng& rng) noexcept;

}  // namespace ferrule::crypto
