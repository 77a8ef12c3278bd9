// A fuzzer's input as a series of choices.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace ferrule::fuzz {

/// Takes choices from the front of an input. One that has run out goes on with zeros, so that every
/// input means something. Value type; points into the input.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) noexcept : left_(data, size) {}

  [[nodiscard]] bool empty() const noexcept { return left_.empty(); }

  std::uint8_t byte() noexcept {
    if (left_.empty()) return 0;
    const std::uint8_t value = left_.front();
    left_ = left_.subspan(1);
    return value;
  }
  std::uint16_t word() noexcept {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  std::uint32_t long_word() noexcept {
    const std::uint32_t high = word();
    return high << 16 | word();
  }
  bool flag() noexcept { return (byte() & 1) != 0; }

  /// A number from `low` to `high`, both included.
  std::size_t number(std::size_t low, std::size_t high) noexcept {
    const std::size_t range = high - low + 1;
    return low + (range <= 256 ? byte() : range <= 65536 ? word() : long_word()) % range;
  }

  /// The next `size` bytes, or as many as there are.
  Bytes bytes(std::size_t size) noexcept {
    const Bytes taken = left_.first(std::min(size, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  std::string_view text(std::size_t size) noexcept {
    const Bytes taken = bytes(size);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  Bytes rest() noexcept { return bytes(left_.size()); }

 private:
  Bytes left_;
};

}  // namespace ferrule::fuzz
