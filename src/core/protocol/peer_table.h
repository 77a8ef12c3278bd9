// The peers of a device: by id, by public key, and in the order in which they were added.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/ids.h"
#include "base/keys.h"
#include "base/segments.h"
#include "protocol/key_index.h"
#include "protocol/peer.h"

namespace ferrule::protocol {

/// Owns the peers. Lookups by id may run in any number of threads as long as nobody changes the table;
/// those by key are for who changes it. No step takes longer than some tens of microseconds, however many
/// peers there are.
class PeerTable {
 public:
  PeerTable() = default;
  ~PeerTable();
  PeerTable(const PeerTable&) = delete;
  PeerTable& operator=(const PeerTable&) = delete;

  /// The caller has seen to it that the key is not there yet. Without memory nothing has changed.
  Peer& add(const PublicKey& key);
  /// True: memory was given back, which takes as long as some tens of these.
  bool remove(PeerId id) noexcept;

  // Before a change of which no step may fail. All of it is given back with `drop_spares`, after a
  // failure too.

  /// Room for the key to be added once more. False: it was there already.
  bool hold_key(const PublicKey& key) { return keys_.hold_room(key); }
  /// One step of taking the memory to add peers `adds` times while others are removed, whose memory serves
  /// again, so that there are never more than `more` beyond those that are here now. True: it is all there.
  [[nodiscard]] bool make_spares(std::size_t adds, std::size_t more);
  /// One step of making slots for them, which disturbs lookups.
  [[nodiscard]] bool make_slots();
  /// One step of giving back what was not needed. True: there is nothing more to give.
  bool drop_spares() noexcept;
  /// Peers have ids with slots below this, as long as only as many are added as there is room for.
  [[nodiscard]] std::size_t slot_room() const noexcept { return slots_.capacity(); }

  /// Null for the id of a peer that was removed.
  [[nodiscard]] Peer* find(PeerId id) const noexcept {
    if (id.slot >= slots_.size()) return nullptr;
    const Slot& slot = slots_[id.slot];
    return slot.generation == id.generation ? slot.peer : nullptr;
  }
  [[nodiscard]] Peer* find(const PublicKey& key) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// By slot, for walks that rest while others add and remove peers. Null: nobody stands there.
  [[nodiscard]] Peer* in_slot(std::size_t slot) const noexcept { return slots_[slot].peer; }
  [[nodiscard]] std::size_t slot_count() const noexcept { return slots_.size(); }

  /// Oldest first. Null at the end.
  [[nodiscard]] Peer* first() const noexcept { return at(first_); }
  [[nodiscard]] Peer* after(const Peer& peer) const noexcept {
    return at(slots_[peer.id.slot].next);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  // As many as fill nine pages but for what an allocator keeps beside them: large enough to come from the
  // system and to go back there as a whole, whatever stands around (daemon/steady_heap.h).
  static constexpr std::uint32_t kTogether = (9 * 4096 - 64) / sizeof(Peer);
  // Memory for a peer, which stands in it or does not.
  union Room {
    Room() noexcept {}
    ~Room() {}
    Peer peer;
  };
  // For as many peers as go together. Peers that were added together go together, and their memory as a
  // whole: single ones would lie in it side by side till the last one goes, and then all be given back.
  using Rooms = std::array<Room, kTogether>;
  struct Slot {
    Peer* peer = nullptr;  // null: nobody stands here
    std::uint32_t generation = 0;
    std::uint32_t previous = kNone;  // in order of addition
    std::uint32_t next = kNone;      // the same; of a free slot: the next free one of its block
  };
  // Of as many slots. It is *open* when it has memory and a free slot, and *bare* without memory.
  struct Block {
    std::unique_ptr<Rooms> rooms;
    std::uint32_t used = 0;
    std::uint32_t free = kNone;      // slot
    std::uint32_t previous = kNone;  // block, of the open ones or the bare ones
    std::uint32_t next = kNone;
  };
  void link(std::uint32_t& first, std::uint32_t block) noexcept;
  void unlink(std::uint32_t& first, std::uint32_t block) noexcept;
  void open_a_block() noexcept;
  [[nodiscard]] Peer* at(std::uint32_t slot) const noexcept {
    return slot == kNone ? nullptr : slots_[slot].peer;
  }

  Segments<Slot> slots_;
  KeyIndex keys_;
  std::size_t size_ = 0;
  Segments<Block> blocks_;
  std::size_t blocks_with_rooms_ = 0;
  std::size_t bare_blocks_ = 0;
  Segments<std::unique_ptr<Rooms>> spares_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::uint32_t open_ = kNone;  // blocks
  std::uint32_t bare_ = kNone;
  std::uint64_t next_sequence_ = 0;
};

/// A walk over all peers, in no particular order, that may rest after each. Peers that are added
/// meanwhile may be visited or not. Value type.
class PeerSweep {
 public:
  /// From the start, also when it is under way.
  void start() noexcept { next_ = 0; }
  void stop() noexcept { next_ = kOver; }
  [[nodiscard]] bool is_over() const noexcept { return next_ == kOver; }
  /// Null for a slot that is free, and at the end, when it is over.
  [[nodiscard]] Peer* step(const PeerTable& peers) noexcept {
    if (next_ < peers.slot_count()) return peers.in_slot(next_++);
    stop();
    return nullptr;
  }

 private:
  static constexpr std::size_t kOver = SIZE_MAX;
  std::size_t next_ = kOver;
};

}  // namespace ferrule::protocol
