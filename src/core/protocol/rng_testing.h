// For tests: randomness that the test chooses.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>

#include "base/rng.h"

namespace ferrule::test {

/// Gives the same bytes for the same seed.
class RepeatableRng final : public Rng {
 public:
  explicit RepeatableRng(std::uint64_t seed) : random_(seed) {}
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_());
    return true;
  }

 private:
  std::mt19937_64 random_;
};

/// Fills one request after the other with one byte's value each, and fails after the last.
class ByteRng final : public Rng {
 public:
  ByteRng(std::initializer_list<std::uint8_t> values) : values_(values) {}
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    if (values_.empty()) return false;
    std::fill(out.begin(), out.end(), values_.front());
    values_.pop_front();
    return true;
  }
  [[nodiscard]] std::size_t left() const noexcept { return values_.size(); }

 private:
  std::deque<std::uint8_t> values_;
};

}  // namespace ferrule::test
