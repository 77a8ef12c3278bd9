// From a public key to the slot of its peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/keys.h"

namespace ferrule::protocol {

/// Knows slots by the hashes of their keys; whose key a slot really has its owner tells. As the table of
/// indices it is cut into shards that grow one by one, so that no change takes longer than some tens of
/// microseconds with a million peers. Not thread-safe.
class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  KeyIndex();

  /// `has_key(slot)` says whether the slot is the key's. kNone when no slot is.
  template <class HasKey>
  [[nodiscard]] std::uint32_t find(const PublicKey& key, HasKey has_key) const {
    const Hash hash(key);
    const Shard& shard = shards_[hash.shard()];
    if (shard.entries.empty()) return kNone;
    for (std::size_t place = shard.home(hash.tag()); shard.entries[place].slot != kNone;
         place = shard.next(place)) {
      const Entry& entry = shard.entries[place];
      if (entry.tag == hash.tag() && has_key(entry.slot)) return entry.slot;
    }
    return kNone;
  }
  /// The key is not there yet. Takes memory unless there is room for it.
  void insert(const PublicKey& key, std::uint32_t slot);
  /// True: memory was given back, which takes as long as some tens of these.
  bool remove(const PublicKey& key, std::uint32_t slot) noexcept;

  /// Takes memory, so that until `let_go` this key can be inserted one time more than it was asked for.
  /// False: there was room already, which is how it mostly is.
  bool hold_room(const PublicKey& key);
  void let_go() noexcept { ++hold_; }

 private:
  static constexpr std::size_t kShardBits = 8;
  static constexpr std::size_t kMinEntries = 4;

  class Hash {
   public:
    explicit Hash(const PublicKey& key) noexcept : bits_(std::hash<PublicKey>{}(key)) {}
    // Its upper bits are the better ones.
    [[nodiscard]] std::size_t shard() const noexcept { return bits_ >> (64 - kShardBits); }
    [[nodiscard]] std::uint32_t tag() const noexcept {
      return static_cast<std::uint32_t>(bits_ >> (64 - kShardBits - 32));
    }

   private:
    std::uint64_t bits_;
  };
  struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t slot = kNone;
  };
  // Open addressing with linear probing, a power of two of entries or none at all.
  struct Shard {
    [[nodiscard]] std::size_t home(std::uint32_t tag) const noexcept {
      return (std::uint64_t{tag} * entries.size()) >> 32;
    }
    [[nodiscard]] std::size_t next(std::size_t place) const noexcept {
      return (place + 1) & (entries.size() - 1);
    }
    void put(const Entry& entry) noexcept;
    bool make_room(std::size_t more);  // false: it was there already
    void resize(std::size_t size);

    std::vector<Entry> entries;
    std::size_t used = 0;
    std::size_t held = 0;    // room for so many more
    std::uint64_t hold = 0;  // the hold that `held` is of
  };

  std::vector<Shard> shards_;
  std::uint64_t hold_ = 1;
};

}  // namespace ferrule::protocol
