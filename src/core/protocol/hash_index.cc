#include "protocol/hash_index.h"

#include "base/check.h"

namespace ferrule::protocol {

HashIndex::HashIndex() : shards_(std::size_t{1} << kShardBits) {}

bool HashIndex::hold_room(std::uint64_t hash) {
  Shard& shard = shards_[shard_of(hash)];
  const std::size_t held = shard.hold == hold_ ? shard.held : 0;
  const bool grew = shard.make_room(held + 1);
  shard.held = held + 1;
  shard.hold = hold_;
  return grew;
}

void HashIndex::insert(std::uint64_t hash, std::uint32_t slot) {
  Shard& shard = shards_[shard_of(hash)];
  const bool holds = shard.hold == hold_ && shard.held > 0;
  if (holds) {
    --shard.held;
  } else {
    (void)shard.make_room(1);
  }
  shard.put({tag_of(hash), slot});
  ++shard.used;
  ++size_;
}

bool HashIndex::remove(std::uint64_t hash, std::uint32_t slot) noexcept {
  Shard& shard = shards_[shard_of(hash)];
  std::size_t hole = shard.home(tag_of(hash));
  while (shard.entries[hole].slot != slot) {
    FERRULE_CHECK(shard.entries[hole].slot != kNone);
    hole = shard.next(hole);
  }
  --shard.used;
  --size_;
  if (shard.used == 0 && shard.hold != hold_) {
    std::vector<Entry>().swap(shard.entries);
    return true;
  }
  // Instead of a tombstone: each entry behind the hole that may stand in it moves there.
  for (std::size_t from = shard.next(hole); shard.entries[from].slot != kNone;
       from = shard.next(from)) {
    const std::size_t home = shard.home(shard.entries[from].tag);
    if (shard.distance(home, from) < shard.distance(hole, from)) continue;
    shard.entries[hole] = shard.entries[from];
    hole = from;
  }
  shard.entries[hole] = Entry{};
  return false;
}

void HashIndex::Shard::put(const Entry& entry) noexcept {
  std::size_t place = home(entry.tag);
  while (entries[place].slot != kNone) place = next(place);
  entries[place] = entry;
}

// Three quarters full at most, and when it has just grown, half. A shard shrinks here and not in remove(),
// which may not fail.
bool HashIndex::Shard::make_room(std::size_t more) {
  const std::size_t needed = used + more;
  std::size_t size = entries.size();
  while (4 * needed > 3 * size) size = size == 0 ? kMinEntries : size + size / 2;
  if (size > kMinEntries && 8 * needed <= size) size /= 2;
  if (size == entries.size()) return false;
  resize(size);
  return true;
}

void HashIndex::Shard::resize(std::size_t size) {
  std::vector<Entry> old(size);
  old.swap(entries);
  for (const Entry& entry : old) {
    if (entry.slot != kNone) put(entry);
  }
}

}  // namespace ferrule::protocol
