// The peers of a device: by id, by public key, and in the order in which they were added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/keys.h"
#include "protocol/peer.h"

namespace ferrule::protocol {

/// Owns the peers. Lookups may run in any number of threads as long as nobody changes the table.
class PeerTable {
 public:
  /// The caller has seen to it that the key is not there yet.
  Peer& add(const PublicKey& key);
  void remove(PeerId id) noexcept;

  /// Null for the id of a peer that was removed.
  [[nodiscard]] Peer* find(PeerId id) const noexcept {
    if (id.slot >= slots_.size()) return nullptr;
    const Slot& slot = slots_[id.slot];
    return slot.generation == id.generation ? slot.peer.get() : nullptr;
  }
  [[nodiscard]] Peer* find(const PublicKey& key) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }

  /// Oldest first. Null at the end.
  [[nodiscard]] Peer* first() const noexcept { return at(first_); }
  [[nodiscard]] Peer* after(const Peer& peer) const noexcept {
    return at(slots_[peer.id.slot].next);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Slot {
    std::unique_ptr<Peer> peer;
    std::uint32_t generation = 0;
    std::uint32_t previous = kNone;  // in order of addition
    std::uint32_t next = kNone;      // the same; of a free slot: the next free one
  };
  [[nodiscard]] Peer* at(std::uint32_t slot) const noexcept {
    return slot == kNone ? nullptr : slots_[slot].peer.get();
  }

  std::vector<Slot> slots_;
  std::unordered_map<PublicKey, std::uint32_t> by_key_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::uint32_t free_ = kNone;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace ferrule::protocol
