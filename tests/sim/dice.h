// Where every choice of the simulated world comes from: one seed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/rng.h"
#include "base/time.h"

namespace ferrule::sim {

/// The same seed gives the same choices, with any compiler: std's distributions would not. A script,
/// where there is one, makes the first of them: two bytes a choice. Value type; points into the script.
class Dice {
 public:
  explicit Dice(std::uint64_t seed, Bytes script = {}) noexcept : state_(seed), script_(script) {}

  [[nodiscard]] std::uint64_t roll() noexcept {
    state_ += 0x9E3779B97F4A7C15u;  // a Weyl sequence, scrambled: every seed is as good as another
    std::uint64_t mixed = state_;
    if (script_.size() >= 2) {
      mixed ^= std::uint64_t{load_le16(script_.data())} << 16;
      script_ = script_.subspan(2);
    }
    mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93u;
    mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93u;
    return mixed ^ (mixed >> 32);
  }
  /// 0 to bound - 1. The slight bias of the remainder does not matter here.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept { return roll() % bound; }
  [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
    return low + below(high - low + 1);
  }
  [[nodiscard]] bool chance(unsigned percent) noexcept { return below(100) < percent; }
  [[nodiscard]] Duration span(Duration low, Duration high) noexcept {
    return low + Duration(static_cast<std::int64_t>(
                     below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  template <class Items>
  [[nodiscard]] auto& pick(Items& items) noexcept {
    return items[below(items.size())];
  }

 private:
  std::uint64_t state_;
  Bytes script_;
};

/// A device's randomness. Can be told to fail; what it then leaves behind is zeros, so that whoever
/// uses it all the same makes keys that repeat.
class DiceRng final : public Rng {
 public:
  explicit DiceRng(std::uint64_t seed) noexcept : dice_(seed) {}
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    for (std::uint8_t& byte : out) byte = fails ? 0 : static_cast<std::uint8_t>(dice_.roll());
    return !fails;
  }
  bool fails = false;

 private:
  Dice dice_;
};

}  // namespace ferrule::sim
