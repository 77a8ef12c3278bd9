// From hashes to numbers, for tables with a million entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferrule::protocol {

/// Knows by their hashes the slots that something stands in; what that is their owner knows, who tells what
/// is meant from what has the same hash. It is cut into shards that grow one by one, so that no change takes
/// longer than some tens of microseconds. Lookups may run in any number of threads as long as nobody
/// changes it.
class HashIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  HashIndex();

  /// `is_meant(slot)` says whether the slot is the one. kNone when no slot is.
  template <class IsMeant>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, IsMeant is_meant) const {
    const Shard& shard = shards_[shard_of(hash)];
    if (shard.entries.empty()) return kNone;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t place = shard.home(tag); shard.entries[place].slot != kNone;
         place = shard.next(place)) {
      const Entry& entry = shard.entries[place];
      if (entry.tag == tag && is_meant(entry.slot)) return entry.slot;
    }
    return kNone;
  }
  /// Has the memory that `find` begins with come nearer.
  void prefetch(std::uint64_t hash) const noexcept {
    const Shard& shard = shards_[shard_of(hash)];
    if (!shard.entries.empty()) __builtin_prefetch(&shard.entries[shard.home(tag_of(hash))]);
  }
  /// The slot is not there yet. Takes memory unless there is room for it; without, nothing has changed.
  void insert(std::uint64_t hash, std::uint32_t slot);
  /// The slot is there. True: memory was given back, which takes as long as some tens of these.
  bool remove(std::uint64_t hash, std::uint32_t slot) noexcept;
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// Takes memory, so that until `let_go` this hash can be inserted one time more than it was asked for.
  /// False: there was room already, which is how it mostly is.
  bool hold_room(std::uint64_t hash);
  void let_go() noexcept { ++hold_; }

 private:
  static constexpr std::size_t kShardBits = 8;
  static constexpr std::size_t kMinEntries = 4;

  struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t slot = kNone;
  };
  // Open addressing with linear probing.
  struct Shard {
    [[nodiscard]] std::size_t home(std::uint32_t tag) const noexcept {
      return (std::uint64_t{tag} * entries.size()) >> 32;
    }
    [[nodiscard]] std::size_t next(std::size_t place) const noexcept {
      return place + 1 == entries.size() ? 0 : place + 1;
    }
    [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const noexcept {
      return to >= from ? to - from : to + entries.size() - from;
    }
    void put(const Entry& entry) noexcept;
    bool make_room(std::size_t more);  // false: it was there already
    void resize(std::size_t size);

    std::vector<Entry> entries;
    std::size_t used = 0;
    std::size_t held = 0;    // room for so many more
    std::uint64_t hold = 0;  // the hold that `held` is of
  };

  // The upper bits of a hash are the better ones.
  [[nodiscard]] static std::size_t shard_of(std::uint64_t hash) noexcept {
    return hash >> (64 - kShardBits);
  }
  [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> (64 - kShardBits - 32));
  }

  std::vector<Shard> shards_;
  std::size_t size_ = 0;
  std::uint64_t hold_ = 1;
};

}  // namespace ferrule::protocol
