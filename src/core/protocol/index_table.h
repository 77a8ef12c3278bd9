// From the receiver index of a message to what it names (P12).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/rng.h"
#include "protocol/constants.h"

namespace ferrule::protocol {

class Keypair;

/// What an index names: a keypair, or (keypair null) a handshake of the peer that waits for its
/// response. Does not own the keypair: who frees one removes its index first.
struct IndexEntry {
  PeerId peer;
  Keypair* keypair = nullptr;
};

/// Random numbers to be indices, drawn for up to kHandshakesTogether entries at once and before any lock
/// is taken: an RNG may be a system call.
class IndexCandidates {
 public:
  /// Without randomness there are none (P35).
  IndexCandidates(Rng& rng, std::size_t entries) noexcept;
  [[nodiscard]] std::optional<LocalIndex> next() noexcept;

 private:
  // A random index is taken already with a chance of one in a thousand at 2^22 entries: of those that
  // are drawn, so many may be taken. Failing this often, the RNG is not one.
  static constexpr std::size_t kSpares = 31;

  std::array<std::uint8_t, 4 * (kHandshakesTogether + kSpares)> bytes_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

/// Random 32-bit indices, unique in the device. Lookups may run in any number of threads as long as
/// nobody changes the table (Exclusion::lock_tables). Its memory follows its content and is flat under
/// any number of insertions and removals (P33). It is cut into shards that grow one by one, so that
/// no change takes longer than some tens of microseconds with a million peers.
class IndexTable {
 public:
  IndexTable();

  /// The first of the candidates that is free. Who alone changes the table may ask without a lock.
  [[nodiscard]] std::optional<LocalIndex> find_free(IndexCandidates& candidates) const noexcept;
  /// False when memory fails (P35), or `index` is taken.
  [[nodiscard]] bool insert(LocalIndex index, const IndexEntry& entry) noexcept;
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
