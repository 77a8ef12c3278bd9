#include "protocol/index_table.h"

#include <array>
#include <new>
#include <utility>

#include "base/check.h"

namespace ferrule::protocol {

namespace {
constexpr std::size_t kMinSlots = 4;
}  // namespace

IndexCandidates::IndexCandidates(Rng& rng, std::size_t entries) noexcept {
  FERRULE_CHECK(entries <= kHandshakesTogether);
  const std::size_t bytes = 4 * (entries + kSpares);
  if (rng.fill(MutBytes(bytes_.data(), bytes))) size_ = bytes;
}

std::optional<LocalIndex> IndexCandidates::next() noexcept {
  if (used_ == size_) return std::nullopt;
  used_ += 4;
  return LocalIndex{load_le32(bytes_.data() + used_ - 4)};
}

IndexTable::IndexTable() : shards_(kShards) {}

std::optional<LocalIndex> IndexTable::find_free(IndexCandidates& candidates) const noexcept {
  std::optional<LocalIndex> index = candidates.next();
  while (index && find(*index) != nullptr) index = candidates.next();
  return index;
}

bool IndexTable::insert(LocalIndex index, const IndexEntry& entry) noexcept try {
  if (find(index) != nullptr) return false;
  shard_of(index).insert(index, entry);
  ++size_;
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void IndexTable::replace(LocalIndex index, const IndexEntry& entry) noexcept {
  Slot* slot = shard_of(index).find(index);
  FERRULE_CHECK(slot != nullptr);
  slot->entry = entry;
}

void IndexTable::remove(LocalIndex index) noexcept {
  if (shard_of(index).remove(index)) --size_;
}

const IndexEntry* IndexTable::find(LocalIndex index) const noexcept {
  const Slot* slot = shards_[index.value % kShards].find(index);
  return slot == nullptr ? nullptr : &slot->entry;
}

// Indices are random and ours, so that their bits are as good as any hash of them: the low ones name
// the shard, those above them the slot.
std::size_t IndexTable::Shard::home(LocalIndex index) const noexcept {
  return index.value / kShards & (slots_.size() - 1);
}

std::size_t IndexTable::Shard::next(std::size_t place) const noexcept {
  return (place + 1) & (slots_.size() - 1);
}

const IndexTable::Slot* IndexTable::Shard::find(LocalIndex index) const noexcept {
  if (slots_.empty()) return nullptr;
  for (std::size_t place = home(index); slots_[place].used; place = next(place)) {
    if (slots_[place].index == index) return &slots_[place];
  }
  return nullptr;
}

void IndexTable::Shard::insert(LocalIndex index, const IndexEntry& entry) {
  // Half full at most, so that a flood of unknown indices is refused within two or three slots. A
  // shard shrinks here and not in remove(), which may not fail.
  if (2 * (used_ + 1) > slots_.size()) {
    resize(slots_.empty() ? kMinSlots : 2 * slots_.size());
  } else if (slots_.size() > kMinSlots && 8 * (used_ + 1) <= slots_.size()) {
    resize(slots_.size() / 2);
  }
  place(index, entry);
  ++used_;
}

void IndexTable::Shard::place(LocalIndex index, const IndexEntry& entry) noexcept {
  std::size_t place = home(index);
  while (slots_[place].used) place = next(place);
  slots_[place] = {entry, index, true};
}

bool IndexTable::Shard::remove(LocalIndex index) noexcept {
  const Slot* found = find(index);
  if (found == nullptr) return false;
  if (--used_ == 0) {
    std::vector<Slot>().swap(slots_);
    return true;
  }
  // Instead of a tombstone: each entry behind the hole that may stand in it moves there.
  std::size_t hole = static_cast<std::size_t>(found - slots_.data());
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t from = next(hole); slots_[from].used; from = next(from)) {
    const std::size_t distance = (from - home(slots_[from].index)) & mask;
    if (distance < ((from - hole) & mask)) continue;
    slots_[hole] = slots_[from];
    hole = from;
  }
  slots_[hole] = Slot{};
  return true;
}

void IndexTable::Shard::resize(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.used) place(slot.index, slot.entry);
  }
}

}  // namespace ferrule::protocol
