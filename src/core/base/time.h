// Instants and spans of time. Nothing here reads a clock: whoever calls the core says what time it is.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace ferrule {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// A moment on the boot clock (CLOCK_BOOTTIME: it runs during suspend and never jumps).
/// Value type. `Instant::never()` is later than every other.
class Instant {
 public:
  constexpr Instant() noexcept = default;
  static constexpr Instant from_ns(std::int64_t since_boot_ns) noexcept {
    Instant instant;
    instant.ns_ = since_boot_ns;
    return instant;
  }
  static constexpr Instant never() noexcept { return from_ns(INT64_MAX); }

  [[nodiscard]] constexpr std::int64_t ns() const noexcept { return ns_; }
  [[nodiscard]] constexpr bool is_never() const noexcept { return ns_ == INT64_MAX; }

  constexpr auto operator<=>(const Instant&) const noexcept = default;
  friend constexpr Instant operator+(Instant a, Duration d) noexcept {
    return from_ns(a.ns_ + d.count());
  }
  friend constexpr Instant operator-(Instant a, Duration d) noexcept {
    return from_ns(a.ns_ - d.count());
  }
  friend constexpr Duration operator-(Instant a, Instant b) noexcept {
    return Duration(a.ns_ - b.ns_);
  }

 private:
  std::int64_t ns_ = 0;
};

/// A moment on the wall clock, as Unix time. It may jump in both directions; only TAI64N stamps and
/// "last handshake" times come from it.
struct WallTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;  // 0 to 999,999,999

  constexpr auto operator<=>(const WallTime&) const noexcept = default;
};

/// What time it is, on both clocks. Every entry into the protocol core takes one.
struct Now {
  Instant boot;
  WallTime wall;
};

}  // namespace ferrule
