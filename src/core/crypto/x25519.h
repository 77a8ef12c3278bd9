// Curve25519 (RFC 7748): DH, and the keys it takes (P1).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

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

/// One of several multiplications. Does not own what it points to.
struct X25519Job {
  const PrivateKey* key;
  const PublicKey* peer;                  // null: the base point, 9
  std::span<std::uint8_t, kKeySize> out;  // a shared secret, or a public key
  bool accepted = false;                  // false: all zero, as `x25519` says

  [[nodiscard]] static X25519Job dh(const PrivateKey& key, const PublicKey& peer,
                                    SharedSecret& out) noexcept {
    return {&key, &peer, out.mut_bytes()};
  }
  [[nodiscard]] static X25519Job public_key(const PrivateKey& key, PublicKey& out) noexcept {
    return {&key, nullptr, out.bytes};
  }
};

/// Does all of them, which may be many times as fast as one after the other, and says of each
/// whether it was accepted. Constant time as `x25519` is.
void x25519_batch(std::span<X25519Job> jobs) noexcept;

/// A fresh clamped private key. None when the RNG fails.
[[nodiscard]] std::optional<PrivateKey> generate_private_key(Rng& rng) noexcept;

}  // namespace ferrule::crypto
