// Small arrays inside one big one, for the nodes of the trie of allowed IPs.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace ferrule::protocol {

/// Blocks of 1, 2, 4, 8 or 16 elements, named by the place of their first one: four bytes, where a
/// pointer takes eight. A freed block serves for the next one of its size; all memory goes at once,
/// with `release`. Places stay valid when the array grows, references do not.
template <class T>
class BlockArena {
 public:
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(std::uint32_t));
  static constexpr unsigned kOrders = 5;
  static constexpr std::size_t kLargest = std::size_t{1} << (kOrders - 1);

  BlockArena() noexcept { free_.fill(kNone); }

  /// Until `kLargest` more elements have been taken, `take` can't fail.
  void make_room() {
    if (elements_.capacity() - elements_.size() >= kLargest) return;
    elements_.reserve(std::max(2 * elements_.capacity(), 2 * kLargest));
  }
  /// A block of 2^order elements, with whatever they hold.
  [[nodiscard]] std::uint32_t take(unsigned order) noexcept {
    std::uint32_t place = free_[order];
    if (place == kNone) {
      place = static_cast<std::uint32_t>(elements_.size());
      elements_.resize(elements_.size() + (std::size_t{1} << order));
    } else {
      std::memcpy(&free_[order], &elements_[place], sizeof place);
    }
    return place;
  }
  void give_back(std::uint32_t place, unsigned order) noexcept {
    std::memcpy(static_cast<void*>(&elements_[place]), &free_[order], sizeof place);
    free_[order] = place;
  }
  void release() noexcept {
    std::vector<T>().swap(elements_);
    free_.fill(kNone);
  }

  [[nodiscard]] T& operator[](std::uint32_t place) noexcept { return elements_[place]; }
  [[nodiscard]] const T& operator[](std::uint32_t place) const noexcept { return elements_[place]; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return elements_.size() * sizeof(T); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  std::vector<T> elements_;
  std::array<std::uint32_t, kOrders> free_;  // by order: the first free block, which names the next
};

}  // namespace ferrule::protocol
