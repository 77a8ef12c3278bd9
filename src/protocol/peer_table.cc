#include "protocol/peer_table.h"

namespace ferrule::protocol {

Peer& PeerTable::add(const PublicKey& key) {
  std::uint32_t index = free_;
  if (index == kNone) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    free_ = slots_[index].next;
  }
  Slot& slot = slots_[index];
  slot.peer = std::make_unique<Peer>(PeerId{index, slot.generation}, next_sequence_++, key);
  slot.previous = last_;
  slot.next = kNone;
  (last_ == kNone ? first_ : slots_[last_].next) = index;
  last_ = index;
  by_key_.emplace(key, index);
  return *slot.peer;
}

void PeerTable::remove(PeerId id) noexcept {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  by_key_.erase(peer->public_key);
  Slot& slot = slots_[id.slot];
  (slot.previous == kNone ? first_ : slots_[slot.previous].next) = slot.next;
  (slot.next == kNone ? last_ : slots_[slot.next].previous) = slot.previous;
  slot.peer.reset();
  ++slot.generation;  // ids of the peer that was here name nothing from now on
  slot.next = free_;
  free_ = id.slot;
}

Peer* PeerTable::find(const PublicKey& key) const noexcept {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : slots_[found->second].peer.get();
}

}  // namespace ferrule::protocol
