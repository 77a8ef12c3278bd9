// How often something may happen.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace ferrule::engine {

// ICMP answers of a lane; what Linux allows itself for the whole machine (icmp_msgs_per_sec).
constexpr std::uint32_t kUnreachablesPerSecond = 1000;
constexpr std::uint32_t kUnreachablesBurst = 50;

/// `per_second` tokens a second, `burst` at most. Not thread-safe.
class TokenBucket {
 public:
  TokenBucket(std::uint32_t per_second, std::uint32_t burst) noexcept
      : cost_(1'000'000'000 / per_second), full_(cost_ * burst), credit_ns_(full_) {}

  [[nodiscard]] bool take(Instant now) noexcept {
    const std::int64_t passed = std::clamp<std::int64_t>((now - last_).count(), 0, full_);
    credit_ns_ = std::min(full_, credit_ns_ + passed);
    last_ = std::max(last_, now);  // several workers' clocks: one may be behind another
    if (credit_ns_ < cost_) return false;
    credit_ns_ -= cost_;
    return true;
  }

 private:
  std::int64_t cost_;
  std::int64_t full_;
  std::int64_t credit_ns_;
  Instant last_;
};

}  // namespace ferrule::engine
