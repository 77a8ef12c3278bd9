// From the receiver index of a message to what it names (P12).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/rng.h"

namespace ferrule::protocol {

class Keypair;

/// What an index names: a keypair, or (keypair null) a handshake of the peer that waits for its
/// response. Does not own the keypair: who frees one removes its index first.
struct IndexEntry {
  PeerId peer;
  Keypair* keypair = nullptr;
};

/// Random 32-bit indices, unique in the device. Lookups may run in any number of threads as long as
/// nobody changes the table (Exclusion::lock_tables). Its memory follows its content and is flat under
/// any number of insertions and removals (P33). It is cut into shards that grow one by one, so that
/// no change takes longer than some tens of microseconds with a million peers.
class IndexTable {
 public:
  IndexTable();

  /// A fresh random index for `entry`. None when randomness or memory fails (P35).
  [[nodiscard]] std::optional<LocalIndex> insert(Rng& rng, const IndexEntry& entry) noexcept;
  /// Makes an existing index name something else (a handshake has become a keypair).
  void replace(LocalIndex index, const IndexEntry& entry) noexcept;
  /// Forgets the index; nothing happens when it is not there.
  void remove(LocalIndex index) noexcept;
  /// Null when nothing has this index. Valid until the table changes.
  [[nodiscard]] const IndexEntry* find(LocalIndex index) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t kShards = 256;

  struct Slot {
    IndexEntry entry;
    LocalIndex index;
    bool used = false;
  };

  // Open addressing with linear probing, a power of two of slots or none at all.
  class Shard {
   public:
    [[nodiscard]] const Slot* find(LocalIndex index) const noexcept;
    [[nodiscard]] Slot* find(LocalIndex index) noexcept {
      return const_cast<Slot*>(std::as_const(*this).find(index));
    }
    void insert(LocalIndex index, const IndexEntry& entry);  // `index` is not there yet
    bool remove(LocalIndex index) noexcept;

   private:
    [[nodiscard]] std::size_t home(LocalIndex index) const noexcept;
    [[nodiscard]] std::size_t next(std::size_t place) const noexcept;
    void place(LocalIndex index, const IndexEntry& entry) noexcept;
    void resize(std::size_t slots);

    std::vector<Slot> slots_;
    std::size_t used_ = 0;
  };

  [[nodiscard]] Shard& shard_of(LocalIndex index) noexcept {
    return shards_[index.value % kShards];
  }

  std::vector<Shard> shards_;
  std::size_t size_ = 0;
};

}  // namespace ferrule::protocol
