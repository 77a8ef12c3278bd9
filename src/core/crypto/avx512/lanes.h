// What the lanes of a ChaCha pass start from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/avx512/vector.h"
#include "crypto/avx512/wipe.h"

namespace ferrule::crypto::avx512 {

constexpr unsigned kMaxLanes = 32;
constexpr std::size_t kKeyWords = 8;

/// A row for each word of ChaCha's state that lanes may differ in, a column a lane. The first word of
/// every nonce is zero.
class LaneInputs {
 public:
  static constexpr unsigned kVecLanes = kVecSize / sizeof(std::uint32_t);
  using Row = std::uint32_t[kMaxLanes];

  /// Word `word` of the keys of the 16 lanes from `lane` on: 0 or 16.
  [[nodiscard]] const std::uint32_t* key(std::size_t word, unsigned lane) const noexcept {
    return key_[word] + (one_key_ ? 0 : lane);
  }

  alignas(kVecSize) Row counter;
  alignas(kVecSize) Row nonce_low;
  alignas(kVecSize) Row nonce_high;

  /// From here on all lanes have this key.
  FERRULE_AVX512_INLINE void set_only_key(const AeadKey& key) noexcept {
    one_key_ = true;
    for (std::size_t i = 0; i < kKeyWords; ++i) store(key_[i], broadcast(key, i));
  }
  /// The key of the lanes from `lane` on; from here on lanes have keys of their own.
  FERRULE_AVX512_INLINE void set_key(unsigned lane, const AeadKey& key) noexcept {
    one_key_ = false;
    several_keys_ = true;
    const std::uint32_t lanes = ~std::uint32_t{0} << lane;
    for (std::size_t i = 0; i < kKeyWords; ++i) {
      const Vec word = broadcast(key, i);
      if (lane < kVecLanes) _mm512_mask_store_epi32(key_[i], static_cast<__mmask16>(lanes), word);
      _mm512_mask_store_epi32(key_[i] + kVecLanes, static_cast<__mmask16>(lanes >> kVecLanes),
                              word);
    }
  }
  /// Overwrites all keys that were ever set. The rest is no secret.
  FERRULE_AVX512_INLINE void wipe() noexcept {
    for (Row& row : key_) avx512::wipe(row, several_keys_ ? sizeof row / kVecSize : 1);
  }

 private:
  FERRULE_AVX512_INLINE static Vec broadcast(const AeadKey& key, std::size_t word) noexcept {
    return _mm512_set1_epi32(
        static_cast<int>(load_le32(key.data() + word * sizeof(std::uint32_t))));
  }

  alignas(kVecSize) Row key_[kKeyWords];
  bool one_key_ = false;
  bool several_keys_ = false;
};

/// Nonces and block counters on their way into the rows. Lanes are set in ascending order.
class LaneFiller {
 public:
  /// The lanes from `lane` on have this nonce, and count from `block` on.
  FERRULE_AVX512_INLINE void set(unsigned lane, std::uint64_t nonce, std::uint32_t block) noexcept {
    const std::uint32_t lanes = ~std::uint32_t{0} << lane;
    const auto first = static_cast<__mmask16>(lanes);
    const auto second = static_cast<__mmask16>(lanes >> LaneInputs::kVecLanes);
    const Vec places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const Vec start = _mm512_add_epi32(places, _mm512_set1_epi32(static_cast<int>(block - lane)));
    const Vec next = _mm512_add_epi32(start, _mm512_set1_epi32(LaneInputs::kVecLanes));
    counter_[0] = _mm512_mask_mov_epi32(counter_[0], first, start);
    counter_[1] = _mm512_mask_mov_epi32(counter_[1], second, next);
    const Vec low = _mm512_set1_epi32(static_cast<int>(nonce));
    const Vec high = _mm512_set1_epi32(static_cast<int>(nonce >> 32));
    low_[0] = _mm512_mask_mov_epi32(low_[0], first, low);
    low_[1] = _mm512_mask_mov_epi32(low_[1], second, low);
    high_[0] = _mm512_mask_mov_epi32(high_[0], first, high);
    high_[1] = _mm512_mask_mov_epi32(high_[1], second, high);
  }
  FERRULE_AVX512_INLINE void write(LaneInputs& inputs) const noexcept {
    for (unsigned i = 0; i < 2; ++i) {
      store(inputs.counter + i * LaneInputs::kVecLanes, counter_[i]);
      store(inputs.nonce_low + i * LaneInputs::kVecLanes, low_[i]);
      store(inputs.nonce_high + i * LaneInputs::kVecLanes, high_[i]);
    }
  }

 private:
  Vec counter_[2] = {};
  Vec low_[2] = {};
  Vec high_[2] = {};
};

}  // namespace ferrule::crypto::avx512
