// The AEADs of handshake messages: one message at a time, with associated data (§5.4; P2, P3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/secret.h"

namespace ferrule::crypto {

constexpr std::size_t kXNonceSize = 24;

/// AEAD(key, counter, plaintext, aad). `out` is plaintext.size() + 16 bytes and may start where
/// `plaintext` does.
void aead_seal(const Secret<32>& key, std::uint64_t counter, Bytes plaintext, Bytes aad,
               MutBytes out) noexcept;
/// False when the tag is wrong; `out` (ciphertext.size() - 16 bytes) then holds nothing of use.
[[nodiscard]] bool aead_open(const Secret<32>& key, std::uint64_t counter, Bytes ciphertext,
                             Bytes aad, MutBytes out) noexcept;

/// XAEAD(key, nonce, plaintext, aad): XChaCha20-Poly1305, for cookies only.
void xaead_seal(std::span<const std::uint8_t, 32> key,
                std::span<const std::uint8_t, kXNonceSize> nonce, Bytes plaintext, Bytes aad,
                MutBytes out) noexcept;
[[nodiscard]] bool xaead_open(std::span<const std::uint8_t, 32> key,
                              std::span<const std::uint8_t, kXNonceSize> nonce, Bytes ciphertext,
                              Bytes aad, MutBytes out) noexcept;

}  // namespace ferrule::crypto
