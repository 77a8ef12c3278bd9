// Iterators of sequences whose elements are found by number.
#pragma once

#include <compare>
#include <cstddef>
#include <iterator>
#include <type_traits>

namespace ferrule {

/// A random access iterator over an Owner with `operator[]` and a `value_type`; a const Owner gives const
/// elements. It stays valid as long as the element that it names has its number.
template <class Owner>
class IndexIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = typename std::remove_const_t<Owner>::value_type;
  using difference_type = std::ptrdiff_t;
  using reference = std::conditional_t<std::is_const_v<Owner>, const value_type&, value_type&>;
  using pointer = std::conditional_t<std::is_const_v<Owner>, const value_type*, value_type*>;

  IndexIterator() noexcept = default;
  IndexIterator(Owner& owner, std::size_t index) noexcept
      : owner_(&owner), index_(static_cast<difference_type>(index)) {}

  reference operator*() const noexcept { return (*owner_)[static_cast<std::size_t>(index_)]; }
  pointer operator->() const noexcept { return &**this; }
  reference operator[](difference_type n) const noexcept { return *(*this + n); }
  IndexIterator& operator+=(difference_type n) noexcept {
    index_ += n;
    return *this;
  }
  IndexIterator& operator-=(difference_type n) noexcept { return *this += -n; }
  IndexIterator& operator++() noexcept { return *this += 1; }
  IndexIterator& operator--() noexcept { return *this += -1; }
  IndexIterator operator++(int) noexcept {
    const IndexIterator before = *this;
    ++*this;
    return before;
  }
  IndexIterator operator--(int) noexcept {
    const IndexIterator before = *this;
    --*this;
    return before;
  }
  friend IndexIterator operator+(IndexIterator it, difference_type n) noexcept { return it += n; }
  friend IndexIterator operator+(difference_type n, IndexIterator it) noexcept { return it += n; }
  friend IndexIterator operator-(IndexIterator it, difference_type n) noexcept { return it -= n; }
  friend difference_type operator-(const IndexIterator& a, const IndexIterator& b) noexcept {
    return a.index_ - b.index_;
  }
  bool operator==(const IndexIterator& other) const noexcept { return index_ == other.index_; }
  auto operator<=>(const IndexIterator& other) const noexcept { return index_ <=> other.index_; }

 private:
  Owner* owner_ = nullptr;
  difference_type index_ = 0;
};

}  // namespace ferrule
