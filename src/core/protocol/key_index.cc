#include "protocol/key_index.h"

#include "base/check.h"

namespace ferrule::protocol {

KeyIndex::KeyIndex() : shards_(std::size_t{1} << kShardBits) {}

bool KeyIndex::hold_room(const PublicKey& key) {
  Shard& shard = shards_[Hash(key).shard()];
  const std::size_t held = shard.hold == hold_ ? shard.held : 0;
  const bool grew = shard.make_room(held + 1);
  shard.held = held + 1;
  shard.hold = hold_;
  return grew;
}

void KeyIndex::insert(const PublicKey& key, std::uint32_t slot) {
  const Hash hash(key);
  Shard& shard = shards_[hash.shard()];
  const bool holds = shard.hold == hold_ && shard.held > 0;
  if (holds) {
    --shard.held;
  } else {
    (void)shard.make_room(1);
  }
  shard.put({hash.tag(), slot});
  ++shard.used;
}

bool KeyIndex::remove(const PublicKey& key, std::uint32_t slot) noexcept {
  Shard& shard = shards_[Hash(key).shard()];
  std::size_t hole = shard.home(Hash(key).tag());
  while (shard.entries[hole].slot != slot) {
    FERRULE_CHECK(shard.entries[hole].slot != kNone);
    hole = shard.next(hole);
  }
  --shard.used;
  if (shard.used == 0 && shard.hold != hold_) {
    std::vector<Entry>().swap(shard.entries);
    return true;
  }
  // Instead of a tombstone: each entry behind the hole that may stand in it moves there.
  const std::size_t mask = shard.entries.size() - 1;
  for (std::size_t from = shard.next(hole); shard.entries[from].slot != kNone;
       from = shard.next(from)) {
    const std::size_t distance = (from - shard.home(shard.entries[from].tag)) & mask;
    if (distance < ((from - hole) & mask)) continue;
    shard.entries[hole] = shard.entries[from];
    hole = from;
  }
  shard.entries[hole] = Entry{};
  return false;
}

void KeyIndex::Shard::put(const Entry& entry) noexcept {
  std::size_t place = home(entry.tag);
  while (entries[place].slot != kNone) place = next(place);
  entries[place] = entry;
}

// Three quarters full at most. A shard shrinks here and not in remove(), which may not fail.
bool KeyIndex::Shard::make_room(std::size_t more) {
  const std::size_t needed = used + more;
  std::size_t size = entries.size();
  while (4 * needed > 3 * size) size = size == 0 ? kMinEntries : 2 * size;
  if (size > kMinEntries && 8 * needed <= size) size /= 2;
  if (size == entries.size()) return false;
  resize(size);
  return true;
}

void KeyIndex::Shard::resize(std::size_t size) {
  std::vector<Entry> old(size);
  old.swap(entries);
  for (const Entry& entry : old) {
    if (entry.slot != kNone) put(entry);
  }
}

}  // namespace ferrule::protocol
