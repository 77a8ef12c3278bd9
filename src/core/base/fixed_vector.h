// A vector whose room is part of it.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "base/check.h"

namespace ferrule {

/// Up to `kRoom` elements, which stay where they are. Allocates nothing, so that adding one can't fail
/// for want of memory; one too many is a programming error.
template <class T, std::size_t kRoom>
class FixedVector {
 public:
  FixedVector() noexcept = default;
  ~FixedVector() { clear(); }
  FixedVector(const FixedVector&) = delete;
  FixedVector& operator=(const FixedVector&) = delete;

  void push_back(T value) noexcept {
    FERRULE_CHECK(size_ < kRoom);
    std::construct_at(data() + size_, std::move(value));
    ++size_;
  }
  void clear() noexcept { std::destroy_n(data(), std::exchange(size_, 0)); }

  [[nodiscard]] T* data() noexcept { return static_cast<T*>(static_cast<void*>(room_)); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return size_ == kRoom; }
  [[nodiscard]] T* begin() noexcept { return data(); }
  [[nodiscard]] T* end() noexcept { return data() + size_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return data()[i]; }

 private:
  alignas(T) std::byte room_[kRoom * sizeof(T)];
  std::size_t size_ = 0;
};

}  // namespace ferrule
