// How much a call of the control side may do before it returns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "protocol/constants.h"

namespace ferrule::protocol {

/// The core reads no clock: work is counted in units, of which one is a look at a peer, well below a
/// microsecond. Whoever takes a budget stops when it is spent and says that there is more; the last
/// step may cost more than was left. Value type.
class Budget {
 public:
  explicit constexpr Budget(std::size_t units) noexcept : left_(units) {}
  /// For callers whom nobody waits for.
  [[nodiscard]] static constexpr Budget unlimited() noexcept { return Budget(SIZE_MAX); }

  [[nodiscard]] constexpr bool is_spent() const noexcept { return left_ == 0; }
  constexpr void spend(std::size_t units) noexcept { left_ -= std::min(units, left_); }
  /// What is left of another turn's share comes on top.
  constexpr void add(std::size_t units) noexcept { left_ += std::min(units, SIZE_MAX - left_); }

 private:
  std::size_t left_;
};

/// A message of ours: an initiation's X25519 at the worst.
constexpr std::size_t kMessageCost = 16;
/// A question to the system, a system call or two.
constexpr std::size_t kQuestionCost = 16;
/// What one turn may spend on each kind of work: as many initiations as are computed together, half a
/// millisecond where that is done by vector code.
constexpr std::size_t kTurnBudget = kHandshakesTogether * kMessageCost;

}  // namespace ferrule::protocol
