// For what few objects have, in objects of which there are very many.
#pragma once

#include <memory>
#include <new>
#include <utility>

namespace ferrule {

/// An optional whose value stands in memory of its own, so that an empty one takes no more than a pointer.
/// Move-only. Memory may fail: who sets it asks whether it is there.
template <class T>
class Boxed {
 public:
  /// Replaces what was there. False without memory: then it is empty.
  template <class... Args>
  [[nodiscard]] bool emplace(Args&&... args) noexcept {
    value_.reset(new (std::nothrow) T(std::forward<Args>(args)...));
    return has_value();
  }
  void reset() noexcept { value_.reset(); }

  [[nodiscard]] bool has_value() const noexcept { return value_ != nullptr; }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] T& operator*() noexcept { return *value_; }
  [[nodiscard]] const T& operator*() const noexcept { return *value_; }
  [[nodiscard]] T* operator->() noexcept { return value_.get(); }
  [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace ferrule
