#include "protocol/peer_table.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace ferrule::protocol {

PeerTable::~PeerTable() {
  for (const Slot& slot : slots_) {
    if (slot.peer != nullptr) std::destroy_at(slot.peer);
  }
}

Peer& PeerTable::add(const PublicKey& key) {
  if (open_ == kNone) {
    while (!make_spares(1, 1) || !make_slots()) {
    }
    open_a_block();
  }
  Block& block = blocks_[open_];
  const std::uint32_t index = block.free;
  keys_.insert(key, index);
  // From here on nothing fails.
  Slot& slot = slots_[index];
  block.free = slot.next;
  if (++block.used == kTogether) unlink(open_, open_);
  slot.peer = std::construct_at(&(*block.rooms)[index % kTogether].peer,
                                PeerId{index, slot.generation}, next_sequence_++, key);
  slot.previous = last_;
  slot.next = kNone;
  (last_ == kNone ? first_ : slots_[last_].next) = index;
  last_ = index;
  ++size_;
  return *slot.peer;
}

bool PeerTable::remove(PeerId id) noexcept {
  Peer* peer = find(id);
  if (peer == nullptr) return false;
  const bool shard_went = keys_.remove(peer->public_key, id.slot);
  std::destroy_at(peer);
  Slot& slot = slots_[id.slot];
  slot.peer = nullptr;
  (slot.previous == kNone ? first_ : slots_[slot.previous].next) = slot.next;
  (slot.next == kNone ? last_ : slots_[slot.next].previous) = slot.previous;
  ++slot.generation;  // ids of the peer that was here name nothing from now on
  --size_;

  const std::uint32_t number = id.slot / kTogether;
  Block& block = blocks_[number];
  slot.next = std::exchange(block.free, id.slot);
  if (block.used-- == kTogether) link(open_, number);
  if (block.used != 0) return shard_went;
  if (spares_.size() < spares_.capacity()) spares_.push_back(std::move(block.rooms));
  block.rooms.reset();
  unlink(open_, number);
  link(bare_, number);
  --blocks_with_rooms_;
  ++bare_blocks_;
  return true;
}

// Blocks are opened when all that have rooms are full: as many rooms as peers are enough. Of those that
// removed peers leave, no more are kept than peers may follow.
bool PeerTable::make_spares(std::size_t adds, std::size_t more) {
  if (!spares_.reserve_some((adds + kTogether - 1) / kTogether)) return false;
  const std::size_t blocks = (size_ + more + kTogether - 1) / kTogether;
  if (blocks_with_rooms_ + spares_.size() >= blocks) return true;
  spares_.push_back(std::make_unique_for_overwrite<Rooms>());
  return blocks_with_rooms_ + spares_.size() >= blocks;
}

bool PeerTable::make_slots() {
  const std::size_t fresh = spares_.size() - std::min(spares_.size(), bare_blocks_);
  const std::size_t blocks = blocks_.size() + fresh;
  return blocks_.reserve_some(blocks) && slots_.reserve_some(blocks * kTogether);
}

// With a spare, and a bare block or room for a fresh one.
void PeerTable::open_a_block() noexcept {
  std::uint32_t number = bare_;
  if (number != kNone) {
    unlink(bare_, number);
    --bare_blocks_;
  } else {
    number = static_cast<std::uint32_t>(blocks_.size());
    (void)blocks_.emplace_back();
    blocks_[number].free = static_cast<std::uint32_t>(slots_.size());
    for (std::uint32_t i = 1; i <= kTogether; ++i) {
      Slot& slot = slots_.emplace_back();
      slot.next = i == kTogether ? kNone : static_cast<std::uint32_t>(slots_.size());
    }
  }
  blocks_[number].rooms = std::move(spares_.back());
  spares_.pop_back();
  link(open_, number);
  ++blocks_with_rooms_;
}

bool PeerTable::drop_spares() noexcept {
  if (!spares_.empty()) spares_.pop_back();
  if (!spares_.empty()) return false;
  spares_ = {};
  keys_.let_go();
  return true;
}

void PeerTable::link(std::uint32_t& first, std::uint32_t block) noexcept {
  blocks_[block].previous = kNone;
  blocks_[block].next = first;
  if (first != kNone) blocks_[first].previous = block;
  first = block;
}

void PeerTable::unlink(std::uint32_t& first, std::uint32_t block) noexcept {
  const Block& gone = blocks_[block];
  const std::uint32_t next = gone.next;
  (gone.previous == kNone ? first : blocks_[gone.previous].next) = next;
  if (next != kNone) blocks_[next].previous = gone.previous;
}

Peer* PeerTable::find(const PublicKey& key) const noexcept {
  return at(keys_.find(key, [&](std::uint32_t i) { return slots_[i].peer->public_key == key; }));
}

}  // namespace ferrule::protocol
