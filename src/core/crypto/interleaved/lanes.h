// What the lanes of a ChaCha pass start from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/interleaved/machine.h"

namespace ferrule::crypto::interleaved {

constexpr std::size_t kKeyWords = 8;

/// A row for each word of ChaCha's state that lanes may differ in, a column a lane. The first word of
/// every nonce is zero.
class LaneInputs {
 public:
  using Row = std::uint32_t[kLanes];

  /// Word `word` of the keys of all lanes.
  [[nodiscard]] const Row& key(std::size_t word) const noexcept { return key_[word]; }

  /// The key of the lanes from `lane` on.
  FERRULE_VECTOR_INLINE void set_key(unsigned lane, const AeadKey& key) noexcept {
    const Vec lanes = lanes_from(lane);
    for (std::size_t i = 0; i < kKeyWords; ++i) {
      const Vec word = broadcast(load_le32(key.data() + i * sizeof(std::uint32_t)));
      store(key_[i], select(lanes, word, load(key_[i])));
    }
  }
  /// Overwrites the keys. The rest is no secret.
  FERRULE_VECTOR_INLINE void wipe() noexcept { interleaved::wipe(key_, sizeof key_ / kVecSize); }

  alignas(kVecSize) Row counter;
  alignas(kVecSize) Row nonce_low;
  alignas(kVecSize) Row nonce_high;

 private:
  alignas(kVecSize) Row key_[kKeyWords];
};

/// Nonces and block counters on their way into the rows, which are written once a pass: words that
/// were stored one by one would have to reach the cache before they can be read as vectors. Lanes are
/// set in ascending order.
class LaneFiller {
 public:
  /// The lanes from `lane` on have this nonce, and count from `block` on.
  FERRULE_VECTOR_INLINE void set(unsigned lane, std::uint64_t nonce, std::uint32_t block) noexcept {
    const Vec lanes = lanes_from(lane);
    counter_ = select(lanes, counting_from(block - lane), counter_);
    low_ = select(lanes, broadcast(static_cast<std::uint32_t>(nonce)), low_);
    high_ = select(lanes, broadcast(static_cast<std::uint32_t>(nonce >> 32)), high_);
  }
  FERRULE_VECTOR_INLINE void write(LaneInputs& inputs) const noexcept {
    store(inputs.counter, counter_);
    store(inputs.nonce_low, low_);
    store(inputs.nonce_high, high_);
  }

 private:
  Vec counter_ = {};
  Vec low_ = {};
  Vec high_ = {};
};

}  // namespace ferrule::crypto::interleaved
