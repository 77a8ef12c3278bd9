// From a public key to the slot of its peer.
#pragma once

#include <cstdint>

#include "base/keys.h"
#include "protocol/hash_index.h"

namespace ferrule::protocol {

/// A HashIndex by public keys: whose key a slot really has its owner tells. Not thread-safe.
class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = HashIndex::kNone;

  /// `has_key(slot)` says whether the slot is the key's. kNone when no slot is.
  template <class HasKey>
  [[nodiscard]] std::uint32_t find(const PublicKey& key, HasKey has_key) const {
    return index_.find(hash(key), has_key);
  }
  /// The key is not there yet. Takes memory unless there is room for it.
  void insert(const PublicKey& key, std::uint32_t slot) { index_.insert(hash(key), slot); }
  /// True: memory was given back, which takes as long as some tens of these.
  bool remove(const PublicKey& key, std::uint32_t slot) noexcept {
    return index_.remove(hash(key), slot);
  }

  /// As HashIndex has it.
  bool hold_room(const PublicKey& key) { return index_.hold_room(hash(key)); }
  void let_go() noexcept { index_.let_go(); }

 private:
  [[nodiscard]] static std::uint64_t hash(const PublicKey& key) noexcept { return hash_of(key); }

  HashIndex index_;
};

}  // namespace ferrule::protocol
