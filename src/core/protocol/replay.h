// The anti-replay window of a keypair (RFC 6479; P43).
#pragma once

#include <array>
#include <cstdint>

#include "protocol/constants.h"
#include "protocol/message_counts.h"

namespace ferrule::protocol {

/// Remembers which of the last kReplayWindow counters have been seen. Guarded by its peer's lock.
class ReplayWindow {
 public:
  /// True, and remembered, when `counter` was not seen before, is at most kReplayWindow behind the
  /// greatest one accepted, and is under kRejectAfterMessages. Call only once the tag was verified.
  [[nodiscard]] bool accept(std::uint64_t counter) noexcept;

  /// How many were accepted, and how many counters there are up to the greatest of them.
  [[nodiscard]] MessageCounts counts() const noexcept {
    return {accepted_, accepted_ == 0 ? 0 : greatest_ + 1};
  }

 private:
  static constexpr std::size_t kWords = kReplayBits / 64;
  std::uint64_t greatest_ = 0;
  std::uint64_t accepted_ = 0;
  std::array<std::uint64_t, kWords> bitmap_{};
};

}  // namespace ferrule::protocol
