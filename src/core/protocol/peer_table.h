// The peers of a device: by id, by public key, and in the order in which they were added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/keys.h"
#include "protocol/peer.h"

namespace ferrule::protocol {

/// Owns the peers. Lookups may run in any number of threads as long as nobody changes the table.
class PeerTable {
 public:
  /// The caller has seen to it that the key is not there yet. Without memory nothing has changed.
  Peer& add(const PublicKey& key);
  void remove(PeerId id) noexcept;

  /// Takes the memory to add peers `adds` times, so that it can't fail, while others are removed, whose
  /// memory serves again, so that there are never more than `more` peers beyond those that are here
  /// now. In two steps, of which only the second one disturbs lookups. The first is to be called again
  /// until it says true: each time it makes `at_once` spares. Give back what is left of it with
  /// `drop_spares`, after a failure too.
  [[nodiscard]] bool make_spares(std::size_t adds, std::size_t more, std::size_t at_once);
  void make_slots(std::size_t more);
  void drop_spares() noexcept;
  /// Peers have ids with slots below this, as long as only as many are added as there is room for.
  [[nodiscard]] std::size_t slot_room() const noexcept { return slots_.capacity(); }

  /// Null for the id of a peer that was removed.
  [[nodiscard]] Peer* find(PeerId id) const noexcept {
    if (id.slot >= slots_.size()) return nullptr;
    const Slot& slot = slots_[id.slot];
    return slot.generation == id.generation ? slot.peer : nullptr;
  }
  [[nodiscard]] Peer* find(const PublicKey& key) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return peers_.size(); }

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
  using Peers = std::unordered_map<PublicKey, std::optional<Peer>>;
  struct Slot {
    Peer* peer = nullptr;  // in peers_
    std::uint32_t generation = 0;
    std::uint32_t previous = kNone;  // in order of addition
    std::uint32_t next = kNone;      // the same; of a free slot: the next free one
  };
  [[nodiscard]] Peer* at(std::uint32_t slot) const noexcept {
    return slot == kNone ? nullptr : slots_[slot].peer;
  }

  std::vector<Slot> slots_;
  Peers peers_;
  std::vector<Peers::node_type> spares_;  // each without its peer
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::uint32_t free_ = kNone;
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
