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
/// goes at once, with `release`. Places stay valid when the array grows, references do not.
template <class T>
class BlockArena {
 public:
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(std::uint32_t));
  static constexpr unsigned kOrders = 5;
  static constexpr std::size_t kLargest = std::size_t{1} << (kOrders - 1);

  BlockArena() noexcept { free_.fill(kNone); }

  /// Until `kLargest` more elements have been taken, `take` can't fail.
  void make_room() {
    if (capacity_ - size_ >= kLargest) return;
    // Not a vector: it grows by copying all it holds, which takes milliseconds at 10^5 prefixes, under
    // the lock that stops the data path. realloc has the kernel move the pages of large blocks.
    const std::size_t capacity = std::max(2 * capacity_, 2 * kLargest);
    void* const grown = std::realloc(elements_.get(), capacity * sizeof(T));
    if (grown == nullptr) throw std::bad_alloc();
    (void)elements_.release();
    elements_.reset(static_cast<T*>(grown));
    capacity_ = capacity;
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
    elements_.reset();
    size_ = capacity_ = 0;
    free_.fill(kNone);
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

  std::unique_ptr<T, Free> elements_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::array<std::uint32_t, kOrders> free_;  // by order: the first free block, which names the next
};

}  // namespace ferrule::protocol
