// Where the table of allowed IPs keeps its prefixes and nodes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace ferrule::protocol {

/// Blocks of 1, 2, 4, 8 or 16 elements in one array, named by the place of their first element: four
/// bytes, where a pointer takes eight. A freed block serves for the next one of its size; all memory
/// goes at once, with `release`, unless it is held. Places stay valid when the array grows, references
/// do not.
template <class T>
class BlockArena {
 public:
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(std::uint32_t));
  static constexpr unsigned kOrders = 5;
  static constexpr std::size_t kLargest = std::size_t{1} << (kOrders - 1);

  BlockArena() noexcept { free_.fill(kNone); }

  /// Until `kLargest` more elements have been taken, `take` can't fail.
  void make_room() { make_room(kLargest); }
  /// The same for any number of elements.
  void make_room(std::size_t elements) {
    if (capacity_ - size_ >= elements) return;
    // Not a vector: it grows by copying all it holds, which takes milliseconds at 10^5 prefixes, under
    // the lock that stops the data path. realloc has the kernel move the pages of large blocks.
    // Twice as much as before where that can be had, so that it grows seldom.
    const std::size_t needed = size_ + elements;
    if (!resize(std::max({2 * capacity_, needed, 2 * kLargest})) && !resize(needed)) {
      throw std::bad_alloc();
    }
  }
  /// As `make_room`, and until `let_go` the room stays, whatever is released meanwhile.
  void hold_room(std::size_t elements) {
    make_room(elements);
    held_ = true;
  }
  void let_go() noexcept {
    held_ = false;
    if (size_ == 0) {
      release();
    } else if (capacity_ / 4 > size_ + kLargest) {
      (void)resize(2 * (size_ + kLargest));  // what was held for the worst case
    }
  }
  /// A block of 2^order elements, with whatever they hold.
  [[nodiscard]] std::uint32_t take(unsigned order) noexcept {
    std::uint32_t place = free_[order];
    if (place == kNone) {
      place = static_cast<std::uint32_t>(size_);
      size_ += std::size_t{1} << order;
    } else {
      std::memcpy(&free_[order], &(*this)[place], sizeof place);
    }
    return place;
  }
  void give_back(std::uint32_t place, unsigned order) noexcept {
    std::memcpy(static_cast<void*>(&(*this)[place]), &free_[order], sizeof place);
    free_[order] = place;
  }
  void release() noexcept {
    size_ = 0;
    free_.fill(kNone);
    if (held_) return;
    elements_.reset();
    capacity_ = 0;
  }

  [[nodiscard]] T& operator[](std::uint32_t place) noexcept { return elements_.get()[place]; }
  [[nodiscard]] const T& operator[](std::uint32_t place) const noexcept {
    return elements_.get()[place];
  }
  /// What was ever taken: memory beyond it is reserved, but never touched.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return size_ * sizeof(T); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Free {
    void operator()(T* elements) const noexcept { std::free(elements); }
  };

  bool resize(std::size_t capacity) noexcept {
    if (capacity > SIZE_MAX / sizeof(T)) return false;
    void* const resized = std::realloc(elements_.get(), capacity * sizeof(T));
    if (resized == nullptr) return false;
    (void)elements_.release();
    elements_.reset(static_cast<T*>(resized));
    capacity_ = capacity;
    return true;
  }

  std::unique_ptr<T, Free> elements_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool held_ = false;
  std::array<std::uint32_t, kOrders> free_;  // by order: the first free block, which names the next
};

}  // namespace ferrule::protocol
