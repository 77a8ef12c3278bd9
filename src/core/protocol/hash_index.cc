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
  std::size_t hole = kInALine * shard.home(tag_of(hash));
  while (shard.at(hole).slot != slot) {
    FERRULE_CHECK(shard.at(hole).slot != kNone);
    hole = shard.next(hole);
  }
  --shard.used;
  --size_;
  if (shard.used == 0 && shard.hold != hold_) {
    std::vector<Line>().swap(shard.lines);
    return true;
  }
  // Instead of a tombstone: each entry behind the hole that may stand in it moves there.
  for (std::size_t from = shard.next(hole);; from = shard.next(from)) {
    const Entry entry = shard.at(from);
    if (entry.slot == kNone) break;
    const std::size_t home = kInALine * shard.home(entry.tag);
    if (shard.distance(home, from) < shard.distance(hole, from)) continue;
    shard.set(hole, entry);
    hole = from;
  }
  shard.set(hole, Entry{});
  return false;
}

void HashIndex::Shard::put(const Entry& entry) noexcept {
  std::size_t place = kInALine * home(entry.tag);
  while (at(place).slot != kNone) place = next(place);
  set(place, entry);
}

// Three quarters full at most, and when it has just grown, half. A shard shrinks here and not in remove(),
// which may not fail.
bool HashIndex::Shard::make_room(std::size_t more) {
  const std::size_t needed = used + more;
  std::size_t size = lines.size();
  while (4 * needed > 3 * kInALine * size) size += size / 2 + 1;
  if (size > 1 && needed <= size) size /= 2;
  if (size == lines.size()) return false;
  resize(size);
  return true;
}

void HashIndex::Shard::resize(std::size_t line_count) {
  std::vector<Line> old(line_count);
  old.swap(lines);
  for (const Line& line : old) {
    for (std::size_t i = 0; i < kInALine && line.slots[i] != kNone; ++i) {
      put({line.tags[i], line.slots[i]});
    }
  }
}

}  // namespace ferrule::protocol
