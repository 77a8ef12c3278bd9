// HMAC-BLAKE2s and the HKDF made of it (§5.4, RFC 2104, RFC 5869; P4, P5).
#pragma once

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/blake2s.h"

namespace ferrule::crypto {

using ChainingKey = Secret<kHashSize>;

/// HMAC-BLAKE2s with a block of 64 bytes. `out` is 32 bytes; it may overlap `key` or `input`.
void hmac(Bytes key, Bytes input, std::span<std::uint8_t, kHashSize> out) noexcept;

/// KDFn(key, input), n = 1 to 3. Outputs may be the key itself (it is read before they are written).
void kdf1(Bytes key, Bytes input, ChainingKey& t1) noexcept;
void kdf2(Bytes key, Bytes input, Secret<32>& t1, Secret<32>& t2) noexcept;
void kdf3(Bytes key, Bytes input, Secret<32>& t1, Secret<32>& t2, Secret<32>& t3) noexcept;

}  // namespace ferrule::crypto
