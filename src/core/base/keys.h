// The key types of WireGuard, kept apart by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>

#include "base/secret.h"

namespace ferrule {

constexpr std::size_t kKeySize = 32;

/// A Curve25519 public key. Not secret: it copies, compares and hashes.
struct PublicKey {
  std::array<std::uint8_t, kKeySize> bytes{};
  auto operator<=>(const PublicKey&) const noexcept = default;
};

/// A Curve25519 private key. All zero means "no identity" (P26).
class PrivateKey : public Secret<kKeySize> {
 public:
  using Secret::Secret;
  PrivateKey(Secret<kKeySize>&& secret) noexcept : Secret(std::move(secret)) {}
};

/// A preshared symmetric key. All zero means "none" (P22).
class PresharedKey : public Secret<kKeySize> {
 public:
  using Secret::Secret;
  PresharedKey(Secret<kKeySize>&& secret) noexcept : Secret(std::move(secret)) {}
};

/// Of 64 bits on every CPU; its upper ones are the better ones.
///
/// Public keys are uniform only if their owner wants them to be: an attacker who may add peers could
/// choose them. Tables keyed by them are filled by configuration alone, so that eight bytes serve.
[[nodiscard]] inline std::uint64_t hash_of(const PublicKey& key) noexcept {
  std::uint64_t word;
  std::memcpy(&word, key.bytes.data(), sizeof word);
  return word * 0x9E3779B97F4A7C15u;
}

}  // namespace ferrule

template <>
struct std::hash<ferrule::PublicKey> {
  std::size_t operator()(const ferrule::PublicKey& key) const noexcept {
    return static_cast<std::size_t>(ferrule::hash_of(key) >> (64 - 8 * sizeof(std::size_t)));
  }
};
