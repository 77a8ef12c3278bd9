// A sequence that grows, and gives its memory back, in small steps.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/index_iterator.h"

namespace ferrule {

/// What a vector does, without moving all it holds when it grows, and without freeing all at once: for
/// what may hold a million elements and is used by a thread that others wait for. Up to kSegment
/// elements it is a vector; beyond, each further kSegment of them are a block of their own. So a step
/// moves one block, or the list of blocks, and takes some ten microseconds at most.
///
/// As with a vector, adding needs no memory up to capacity(). Elements stay where they are but for those
/// of a first block that grows.
template <class T>
class Segments {
 public:
  using value_type = T;
  static constexpr std::size_t kSegmentBytes = std::size_t{64} << 10;
  static constexpr std::size_t kSegment =
      std::bit_floor(std::max<std::size_t>(kSegmentBytes / sizeof(T), 1));

  using iterator = IndexIterator<Segments>;
  using const_iterator = IndexIterator<const Segments>;

  Segments() noexcept = default;
  Segments(std::initializer_list<T> elements) {
    for (const T& element : elements) push_back(element);
  }
  Segments(const Segments&) = default;
  Segments& operator=(const Segments&) = default;
  Segments(Segments&& other) noexcept
      : first_(std::move(other.first_)),
        more_(std::move(other.more_)),
        size_(std::exchange(other.size_, 0)) {}
  Segments& operator=(Segments&& other) noexcept {
    first_ = std::move(other.first_);
    more_ = std::move(other.more_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~Segments() = default;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept {
    return more_.empty() ? first_.capacity() : kSegment * (more_.size() + 1);
  }

  [[nodiscard]] T& operator[](std::size_t i) noexcept {
    return i < kSegment ? first_[i] : more_[i / kSegment - 1][i % kSegment];
  }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept {
    return i < kSegment ? first_[i] : more_[i / kSegment - 1][i % kSegment];
  }
  [[nodiscard]] T& at(std::size_t i) noexcept {
    FERRULE_CHECK(i < size_);
    return (*this)[i];
  }
  [[nodiscard]] const T& at(std::size_t i) const noexcept {
    FERRULE_CHECK(i < size_);
    return (*this)[i];
  }
  [[nodiscard]] T& front() noexcept { return (*this)[0]; }
  [[nodiscard]] const T& front() const noexcept { return (*this)[0]; }
  [[nodiscard]] T& back() noexcept { return (*this)[size_ - 1]; }
  [[nodiscard]] const T& back() const noexcept { return (*this)[size_ - 1]; }
  [[nodiscard]] iterator begin() noexcept { return {*this, 0}; }
  [[nodiscard]] iterator end() noexcept { return {*this, size_}; }
  [[nodiscard]] const_iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] const_iterator end() const noexcept { return {*this, size_}; }

  template <class... Args>
  T& emplace_back(Args&&... args) {
    T& added = block_for(size_).emplace_back(std::forward<Args>(args)...);
    ++size_;
    return added;
  }
  void push_back(const T& element) { (void)emplace_back(element); }
  void push_back(T&& element) { (void)emplace_back(std::move(element)); }
  void pop_back() noexcept { block(--size_).pop_back(); }
  void clear() noexcept {
    first_.clear();
    more_.clear();
    size_ = 0;
  }

  /// Takes the memory for `count` elements in all, of which it touches nothing.
  void reserve(std::size_t count) {
    while (!reserve_some(count)) {
    }
  }
  /// One step of that. True: there is room for all.
  bool reserve_some(std::size_t count) {
    if (count <= capacity()) return true;
    if (first_.capacity() < kSegment) {
      first_.reserve(std::min(kSegment, std::max(count, 2 * first_.capacity())));
    } else {
      std::vector<T> block;
      block.reserve(kSegment);
      more_.push_back(std::move(block));
    }
    return count <= capacity();
  }
  /// Frees the blocks whose elements all stand before `index`; these elements are gone, and nothing may be
  /// asked of them any more, though all others keep their numbers. For who works off a sequence.
  void forget_before(std::size_t index) noexcept {
    for (std::size_t end = std::min(index, size_) / kSegment; end > 0; --end) {
      std::vector<T>& full = block((end - 1) * kSegment);
      if (full.capacity() == 0) return;  // those before it are forgotten, too
      std::vector<T>().swap(full);
    }
  }

  bool operator==(const Segments& other) const noexcept {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  [[nodiscard]] std::vector<T>& block(std::size_t i) noexcept {
    return i < kSegment ? first_ : more_[i / kSegment - 1];
  }
  // Where the element with this number, one behind the last, goes.
  [[nodiscard]] std::vector<T>& block_for(std::size_t i) {
    if (i == capacity()) (void)reserve_some(i + 1);
    return block(i);
  }

  std::vector<T> first_;              // grows as a vector does
  std::vector<std::vector<T>> more_;  // each with room for kSegment
  std::size_t size_ = 0;
};

/// As std::erase_if, for Segments and what is like them.
template <class Sequence, class Predicate>
  requires std::same_as<typename Sequence::iterator, IndexIterator<Sequence>>
void erase_if(Sequence& elements, Predicate unwanted) {
  const auto kept = std::remove_if(elements.begin(), elements.end(), unwanted);
  for (auto gone = elements.end() - kept; gone > 0; --gone) elements.pop_back();
}

}  // namespace ferrule
