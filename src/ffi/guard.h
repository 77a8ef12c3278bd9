// What stands between C++ and its callers in C.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>

#include "ferrule.h"

namespace ferrule::ffi {

/// Runs what a call does; no exception leaves it.
template <class Work>
auto guarded(const Work& work) noexcept -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return FERRULE_NO_MEMORY;
  } catch (...) {
    return FERRULE_INTERNAL;
  }
}

/// The smallest that a struct of the caller's can be: it has its first members.
template <class Struct>
constexpr std::size_t kLeastSize = sizeof(std::size_t) + 1;

/// A struct of the caller's, who may know fewer members, or more: what one does not know is zero.
template <class Struct>
[[nodiscard]] bool read_struct(const void* from, std::size_t size, Struct& to) noexcept {
  if (from == nullptr || size < kLeastSize<Struct>) return false;
  to = Struct{};
  std::memcpy(&to, from, std::min(size, sizeof to));
  return true;
}
template <class Struct>
[[nodiscard]] bool read_struct(const Struct* from, Struct& to) noexcept {
  return from != nullptr && read_struct(from, from->size, to);
}

/// The same for one that is the library's to fill. Its size stays the caller's.
template <class Struct>
void write_struct(Struct from, std::size_t size, void* to) noexcept {
  from.size = size;
  std::memset(to, 0, size);
  std::memcpy(to, &from, std::min(size, sizeof from));
}

/// Elements of a caller's array, which stand as far apart as the first one says.
template <class Struct>
class CallersArray {
 public:
  CallersArray(Struct* first, std::size_t count) noexcept : first_(first), count_(count) {}
  [[nodiscard]] bool is_valid() const noexcept {
    return count_ == 0 || (first_ != nullptr && stride() >= kLeastSize<Struct> &&
                           stride() % alignof(Struct) == 0 && count_ <= SIZE_MAX / stride());
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] std::size_t stride() const noexcept { return first_->size; }
  [[nodiscard]] auto* operator[](std::size_t i) const noexcept {
    using Byte = std::conditional_t<std::is_const_v<Struct>, const std::uint8_t, std::uint8_t>;
    return reinterpret_cast<Byte*>(first_) + i * stride();
  }

 private:
  Struct* first_;
  std::size_t count_;
};

/// As much of a text as there is room for; the whole length.
[[nodiscard]] inline std::int64_t give_text(std::string_view text, char* to,
                                            std::size_t room) noexcept {
  if (to == nullptr && room != 0) return FERRULE_INVALID;
  if (const std::size_t some = std::min(text.size(), room); some != 0) {
    std::memcpy(to, text.data(), some);
  }
  return static_cast<std::int64_t>(text.size());
}

}  // namespace ferrule::ffi
