// Where the table of allowed IPs keeps its prefixes and nodes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace ferrule::protocol {

/// Blocks of 1, 2, 4, 8 or 16 elements, named by the place of their first element: four bytes, where a
/// pointer takes eight. A freed block serves for the next one of its size; memory goes back with `let_go`.
/// Places stay valid when the arena grows, references do not.
///
/// It is an array up to kSegment elements, as large as it need be; beyond, each further kSegment of them are
/// an array of their own. So no step takes longer than it takes to move or to give back one of these, which
/// data waits for.
template <class T>
class BlockArena {
 public:
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(std::uint32_t));
  static constexpr unsigned kOrders = 5;
  static constexpr std::size_t kLargest = std::size_t{1} << (kOrders - 1);
  static constexpr std::size_t kSegment = std::bit_floor((std::size_t{1} << 20) / sizeof(T));
  static_assert(kSegment % kLargest == 0);

  BlockArena() noexcept { free_.fill(kNone); }

  /// Until `kLargest` more elements have been taken, `take` can't fail.
  void make_room() {
    while (!make_some_room(kLargest)) {
    }
  }
  /// The same for any number of elements, in steps: false, until there is room for all.
  [[nodiscard]] bool make_some_room(std::size_t elements) {
    // What is left of an array before a block that does not fit is taken apart.
    const std::size_t needed = size_ + elements + (elements / kSegment + 1) * kLargest;
    if (capacity_ >= needed) return true;
    if (capacity_ < kSegment) {
      // Not a vector: it grows by copying, where realloc has the kernel move pages. Twice as much as before
      // where that can be had, so that it grows seldom.
      if (!resize(std::min(kSegment, std::max({2 * capacity_, needed, 2 * kLargest}))) &&
          !resize(std::min(kSegment, needed))) {
        throw std::bad_alloc();
      }
    } else {
      more_.reserve(more_.size() + 1);
      Array array(static_cast<T*>(std::realloc(nullptr, kSegment * sizeof(T))));
      if (!array) throw std::bad_alloc();
      more_.push_back(std::move(array));
      capacity_ += kSegment;
    }
    return capacity_ >= needed;
  }
  /// Gives back some of what is free at the end; true: there is nothing more to give.
  bool let_go() noexcept {
    const std::size_t kept = size_ == 0 ? 0 : 2 * (size_ + kLargest);
    if (!more_.empty()) {
      if (capacity_ < kSegment + (size_ == 0 ? 0 : size_ + kLargest)) return true;
      more_.pop_back();
      capacity_ -= kSegment;
      return false;
    }
    if (kept == 0) {
      first_.reset();
      capacity_ = 0;
    } else if (capacity_ > 2 * kept) {
      (void)resize(kept);
    }
    return true;
  }
  /// A block of 2^order elements, with whatever they hold.
  [[nodiscard]] std::uint32_t take(unsigned order) noexcept {
    const std::uint32_t freed = free_[order];
    if (freed != kNone) {
      std::memcpy(&free_[order], &(*this)[freed], sizeof freed);
      return freed;
    }
    const std::size_t count = std::size_t{1} << order;
    if (size_ % kSegment + count > kSegment) {
      for (; size_ % kSegment != 0; ++size_) give_back(static_cast<std::uint32_t>(size_), 0);
    }
    const auto place = static_cast<std::uint32_t>(size_);
    size_ += count;
    return place;
  }
  void give_back(std::uint32_t place, unsigned order) noexcept {
    std::memcpy(static_cast<void*>(&(*this)[place]), &free_[order], sizeof place);
    free_[order] = place;
  }
  /// All blocks are free.
  void release() noexcept {
    size_ = 0;
    free_.fill(kNone);
  }

  [[nodiscard]] T& operator[](std::uint32_t place) noexcept { return *at(place); }
  [[nodiscard]] const T& operator[](std::uint32_t place) const noexcept { return *at(place); }
  /// What was ever taken: memory beyond it is reserved, but never touched.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return size_ * sizeof(T); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Free {
    void operator()(T* elements) const noexcept { std::free(elements); }
  };
  using Array = std::unique_ptr<T, Free>;

  [[nodiscard]] T* at(std::uint32_t place) const noexcept {
    if (place < kSegment) return first_.get() + place;
    return more_[place / kSegment - 1].get() + place % kSegment;
  }
  // Of the first array.
  bool resize(std::size_t capacity) noexcept {
    void* const resized = std::realloc(first_.get(), capacity * sizeof(T));
    if (resized == nullptr) return false;
    (void)first_.release();
    first_.reset(static_cast<T*>(resized));
    capacity_ = capacity;
    return true;
  }

  Array first_;
  std::vector<Array> more_;  // of kSegment elements each
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::array<std::uint32_t, kOrders> free_;  // by order: the first free block, which names the next
};

}  // namespace ferrule::protocol
