// Key material that wipes itself, and the comparisons that may look at it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace ferrule {

/// Overwrites `bytes` with zeros in a way that the compiler may not leave out.
void wipe(MutBytes bytes) noexcept;

/// Wipes what the caller's earlier calls have left on the stack, and the vector registers. Both hold bytes
/// of keys that were copied, and stay for as long as nothing else is there: when a function of a library is
/// called for the first time the dynamic linker even saves all registers. For who has handled keys.
void wipe_stack() noexcept;

/// True when both spans have the same length and content. Time depends on the length only.
[[nodiscard]] bool constant_time_equal(Bytes a, Bytes b) noexcept;

/// True when every byte is zero. Time depends on the length only.
[[nodiscard]] bool constant_time_is_zero(Bytes bytes) noexcept;

/// N secret bytes. Move-only, wiped when destroyed and when moved from; has no ==, no stream
/// output and no default copy, so that a copy of a key is always visible in the code (`clone`).
template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() noexcept = default;  // all zero
  /// Copies N bytes; the source stays the caller's to wipe.
  explicit Secret(std::span<const std::uint8_t, N> bytes) noexcept {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { clear(); }

  [[nodiscard]] Secret clone() const noexcept { return Secret(bytes()); }
  void clear() noexcept { wipe(bytes_); }

  [[nodiscard]] std::span<const std::uint8_t, N> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, N> mut_bytes() noexcept { return bytes_; }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] bool is_zero() const noexcept { return constant_time_is_zero(bytes_); }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

}  // namespace ferrule
