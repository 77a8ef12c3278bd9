// BLAKE2s (RFC 7693): the HASH and MAC of WireGuard (§5.4; P4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"

namespace ferrule::crypto {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kMacSize = 16;

using Hash = std::array<std::uint8_t, kHashSize>;
using Mac = std::array<std::uint8_t, kMacSize>;

/// An incremental BLAKE2s. Its state is wiped when it is finished or destroyed. Not thread-safe.
class Blake2s {
 public:
  /// `digest_size` 1 to 32; `key` at most 32 bytes, empty for the plain hash.
  explicit Blake2s(std::size_t digest_size = kHashSize, Bytes key = {}) noexcept;
  /// Goes on where `key_block_state` was taken.
  Blake2s(std::size_t digest_size, const std::array<std::uint32_t, 8>& key_block_state) noexcept;
  ~Blake2s();
  Blake2s(const Blake2s&) = delete;
  Blake2s& operator=(const Blake2s&) = delete;

  Blake2s& update(Bytes input) noexcept;
  /// Writes digest_size bytes. Call once.
  void finish(MutBytes digest) noexcept;
  /// The state behind the block of the key, before any `update`. Needs a key, and input to follow.
  [[nodiscard]] std::array<std::uint32_t, 8> key_block_state() noexcept;

 private:
  void clear() noexcept;
  void compress(const std::uint8_t* block, bool last) noexcept;

  std::array<std::uint32_t, 8> h_;
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t count_ = 0;
  std::size_t buffered_ = 0;
  std::size_t digest_size_;
};

/// HASH(part || part || ...), 32 bytes.
[[nodiscard]] Hash hash(std::initializer_list<Bytes> parts) noexcept;

/// MAC(key, part || part || ...): keyed BLAKE2s with 16 bytes of output. `key` 1 to 32 bytes.
[[nodiscard]] Mac mac(Bytes key, std::initializer_list<Bytes> parts) noexcept;

/// MAC with a key that serves for many messages: the key's block is compressed once, so that a mac1
/// costs two compressions where `mac` costs three. For mac1 keys, which anyone can make from a public
/// key: a value that copies and is not wiped. Thread-safe.
class MacKey {
 public:
  /// `key` 1 to 32 bytes.
  explicit MacKey(Bytes key) noexcept;
  /// The same as mac(key, parts). The parts must not all be empty.
  [[nodiscard]] Mac mac(std::initializer_list<Bytes> parts) const noexcept;

 private:
  std::array<std::uint32_t, 8> key_block_state_;
};

}  // namespace ferrule::crypto
