// From hashes to numbers, for tables with a million entries.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ferrule::protocol {

/// Knows by their hashes the slots that something stands in; what that is their owner knows, who tells what
/// is meant from what has the same hash. It is cut into shards that grow one by one, so that no change takes
/// longer than some tens of microseconds. Lookups may run in any number of threads as long as nobody
/// changes it.
class HashIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  HashIndex();

  /// `is_meant(slot)` says whether the slot is the one. kNone when no slot is.
  template <class IsMeant>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, IsMeant is_meant) const {
    const Shard& shard = shards_[shard_of(hash)];
    if (shard.lines.empty()) return kNone;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t number = shard.home(tag);; number = shard.next_line(number)) {
      const Line& line = shard.lines[number];
      for (unsigned left = line.having(tag); left != 0; left &= left - 1) {
        const std::uint32_t slot = line.slots[static_cast<unsigned>(std::countr_zero(left))];
        if (slot != kNone && is_meant(slot)) return slot;
      }
      if (line.slots.back() == kNone) return kNone;
    }
  }
  /// Where `find` begins, for who has that memory come nearer before. (Not done here: of a function that does
  /// nothing else GCC thinks that it does nothing.)
  [[nodiscard]] const void* first_look(std::uint64_t hash) const noexcept {
    const Shard& shard = shards_[shard_of(hash)];
    return shard.lines.data() + shard.home(tag_of(hash));
  }
  /// The slot is not there yet. Takes memory unless there is room for it; without, nothing has changed.
  void insert(std::uint64_t hash, std::uint32_t slot);
  /// The slot is there. True: memory was given back, which takes as long as some tens of these.
  bool remove(std::uint64_t hash, std::uint32_t slot) noexcept;
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// Takes memory, so that until `let_go` this hash can be inserted one time more than it was asked for.
  /// False: there was room already, which is how it mostly is.
  bool hold_room(std::uint64_t hash);
  void let_go() noexcept { ++hold_; }

 private:
  static constexpr std::size_t kShardBits = 8;
  static constexpr std::size_t kInALine = 8;

  // A line of the CPU's cache, which is all that most look-ups need to see. It is filled from the front.
  struct alignas(64) Line {
    Line() noexcept { slots.fill(kNone); }
    // By bits: which entries have this tag, free ones perhaps among them.
    [[nodiscard]] unsigned having(std::uint32_t tag) const noexcept {
      unsigned bits = 0;
      for (unsigned i = 0; i < kInALine; ++i) bits |= unsigned{tags[i] == tag} << i;
      return bits;
    }
    std::array<std::uint32_t, kInALine> tags{};
    std::array<std::uint32_t, kInALine> slots;
  };
  struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t slot = kNone;
  };
  // Open addressing: an entry stands in the first free place from the start of its line on, round the end.
  struct Shard {
    [[nodiscard]] std::size_t home(std::uint32_t tag) const noexcept {
      return static_cast<std::size_t>((std::uint64_t{tag} * lines.size()) >> 32);
    }
    [[nodiscard]] std::size_t next_line(std::size_t number) const noexcept {
      return number + 1 == lines.size() ? 0 : number + 1;
    }
    [[nodiscard]] std::size_t places() const noexcept { return kInALine * lines.size(); }
    [[nodiscard]] std::size_t next(std::size_t place) const noexcept {
      return place + 1 == places() ? 0 : place + 1;
    }
    [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const noexcept {
      return to >= from ? to - from : to + places() - from;
    }
    [[nodiscard]] Entry at(std::size_t place) const noexcept {
      const Line& line = lines[place / kInALine];
      return {line.tags[place % kInALine], line.slots[place % kInALine]};
    }
    void set(std::size_t place, const Entry& entry) noexcept {
      Line& line = lines[place / kInALine];
      line.tags[place % kInALine] = entry.tag;
      line.slots[place % kInALine] = entry.slot;
    }
    void put(const Entry& entry) noexcept;
    bool make_room(std::size_t more);  // false: it was there already
    void resize(std::size_t line_count);

    std::vector<Line> lines;
    std::size_t used = 0;
    std::size_t held = 0;    // room for so many more
    std::uint64_t hold = 0;  // the hold that `held` is of
  };

  // The upper bits of a hash are the better ones.
  [[nodiscard]] static std::size_t shard_of(std::uint64_t hash) noexcept {
    return static_cast<std::size_t>(hash >> (64 - kShardBits));
  }
  [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> (64 - kShardBits - 32));
  }

  std::vector<Shard> shards_;
  std::size_t size_ = 0;
  std::uint64_t hold_ = 1;
};

}  // namespace ferrule::protocol
