// The next deadline of every peer that has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/segments.h"
#include "base/time.h"

namespace ferrule::protocol {

/// A heap of instants, at most one a peer, keyed by the peer's slot. Setting and removing cost
/// O(log n). A peer without a deadline costs four bytes at most, and room that nobody has touched.
/// A slot's new tenant takes the place of the old one. Not thread-safe.
class DeadlineHeap {
 public:
  struct Entry {
    Instant at;
    PeerId peer;
  };

  /// One step of taking the memory to set deadlines of peers in the first `slots` slots. True: it is there.
  [[nodiscard]] bool reserve_some(std::size_t slots) {
    return heap_.reserve_some(slots) && place_.reserve_some(slots);
  }
  /// The peer's deadline is now `at`, earlier or later than before. `Instant::never()` removes it.
  void set(PeerId peer, Instant at);
  void remove(PeerId peer) noexcept;
  /// The earliest, without removing it.
  [[nodiscard]] std::optional<Entry> top() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

 private:
  void settle(std::size_t place) noexcept;
  // Both move other entries out of the way and give the place where `entry` belongs.
  std::size_t sift_up(std::size_t place, const Entry& entry) noexcept;
  std::size_t sift_down(std::size_t place, const Entry& entry) noexcept;
  void put(std::size_t place, const Entry& entry) noexcept;

  Segments<Entry> heap_;
  Segments<std::uint32_t> place_;  // by slot: place in heap_ plus one, 0 for none
};

}  // namespace ferrule::protocol
