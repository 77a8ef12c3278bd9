// ChaCha20-Poly1305 for transport data, a batch at a time (§5.4.6, RFC 8439; P2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/secret.h"

namespace ferrule::crypto {

constexpr std::size_t kTagSize = 16;

using AeadKey = Secret<32>;

/// One message to seal or open in place. The nonce is 32 zero bits, then `counter` little-endian;
/// there is no associated data. Does not own what it points to.
struct AeadPacket {
  std::uint8_t* data;  // `size` bytes of text, then room for (seal) or the value of (open) the tag
  std::size_t size;    // bytes of plaintext, without the tag: 0 to 65535
  const AeadKey* key;  // packets of one key should stand side by side and share the pointer
  std::uint64_t counter;
};

/// A way to seal and open batches. Stateless to its user and thread-safe. All backends give the same
/// bytes.
class AeadBackend {
 public:
  virtual ~AeadBackend() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// Replaces each plaintext by its ciphertext and writes the tag behind it.
  virtual void seal(std::span<const AeadPacket> packets) const noexcept = 0;
  /// Replaces each ciphertext by its plaintext and says in `opened` (same length as `packets`) which
  /// tags were right, compared in constant time. Where one was wrong, the content of `data` is
  /// unspecified and must not be used.
  virtual void open(std::span<const AeadPacket> packets, std::span<bool> opened) const noexcept = 0;
};

/// The fastest backend that this CPU can run and that gives what libsodium does for a few messages which
/// some libraries are wrong about. Lives as long as the program.
[[nodiscard]] const AeadBackend& best_aead_backend() noexcept;

/// The backend of this name ("openssl", ...), or null when it is unknown, wrong, or this CPU can't run it.
[[nodiscard]] const AeadBackend* find_aead_backend(std::string_view name) noexcept;

/// Every backend that this CPU can run and that is right, the fastest first. The last is "sodium".
[[nodiscard]] std::span<const AeadBackend* const> aead_backends() noexcept;

}  // namespace ferrule::crypto
