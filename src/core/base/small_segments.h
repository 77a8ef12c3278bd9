// A sequence of which most are short.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/index_iterator.h"
#include "base/segments.h"

namespace ferrule {

/// Up to kInline elements stand in it and take no memory of their own; when there are more, all of them are
/// in Segments. For lists of which there are as many as peers: a piece of memory for each of them stays with
/// the allocator after it is freed, if something that lasts was put above it.
template <class T, std::size_t kInline>
class SmallSegments {
 public:
  using value_type = T;
  using iterator = IndexIterator<SmallSegments>;
  using const_iterator = IndexIterator<const SmallSegments>;
  static_assert(kInline > 0 && kInline <= UINT8_MAX);

  SmallSegments() noexcept = default;
  SmallSegments(std::initializer_list<T> elements) {
    for (const T& element : elements) push_back(element);
  }
  SmallSegments(const SmallSegments& other)
      : many_(other.many_ ? std::make_unique<Segments<T>>(*other.many_) : nullptr),
        few_(other.few_),
        few_count_(other.few_count_) {}
  SmallSegments(SmallSegments&& other) noexcept
      : many_(std::move(other.many_)),
        few_(std::move(other.few_)),
        few_count_(std::exchange(other.few_count_, std::uint8_t{0})) {}
  SmallSegments& operator=(SmallSegments other) noexcept {
    many_ = std::move(other.many_);
    few_ = std::move(other.few_);
    few_count_ = other.few_count_;
    return *this;
  }
  ~SmallSegments() = default;

  [[nodiscard]] std::size_t size() const noexcept { return many_ ? many_->size() : few_count_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  [[nodiscard]] T& operator[](std::size_t i) noexcept { return many_ ? (*many_)[i] : few_[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept {
    return many_ ? std::as_const(*many_)[i] : few_[i];
  }
  [[nodiscard]] T& at(std::size_t i) noexcept {
    FERRULE_CHECK(i < size());
    return (*this)[i];
  }
  [[nodiscard]] const T& at(std::size_t i) const noexcept {
    FERRULE_CHECK(i < size());
    return (*this)[i];
  }
  [[nodiscard]] T& front() noexcept { return (*this)[0]; }
  [[nodiscard]] const T& front() const noexcept { return (*this)[0]; }
  [[nodiscard]] T& back() noexcept { return (*this)[size() - 1]; }
  [[nodiscard]] const T& back() const noexcept { return (*this)[size() - 1]; }
  [[nodiscard]] iterator begin() noexcept { return {*this, 0}; }
  [[nodiscard]] iterator end() noexcept { return {*this, size()}; }
  [[nodiscard]] const_iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] const_iterator end() const noexcept { return {*this, size()}; }

  void push_back(T element) {
    if (many_) {
      many_->push_back(std::move(element));
    } else if (few_count_ < kInline) {
      few_[few_count_++] = std::move(element);
    } else {
      auto many = std::make_unique<Segments<T>>();
      many->reserve(kInline + 1);
      for (T& one : few_) many->push_back(std::move(one));
      many->push_back(std::move(element));
      many_ = std::move(many);
      few_count_ = 0;
    }
  }
  void pop_back() noexcept {
    if (many_) {
      many_->pop_back();
    } else {
      --few_count_;
    }
  }
  void clear() noexcept {
    many_.reset();
    few_count_ = 0;
  }
  /// As Segments has it.
  void forget_before(std::size_t index) noexcept {
    if (many_) many_->forget_before(index);
  }

  bool operator==(const SmallSegments& other) const noexcept {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  std::unique_ptr<Segments<T>> many_;  // all elements, or null
  std::array<T, kInline> few_{};
  std::uint8_t few_count_ = 0;
};

}  // namespace ferrule
