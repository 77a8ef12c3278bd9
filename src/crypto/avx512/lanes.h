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
/// every nonce is zero. Setters write whole vectors: lanes above those asked for change too, so that
/// lanes are set in ascending order.
class LaneInputs {
 public:
  static constexpr unsigned kVecLanes = kVecSize / sizeof(std::uint32_t);

  /// Word `word` of the keys of the 16 lanes from `lane` on: 0 or 16.
  [[nodiscard]] const std::uint32_t* key(std::size_t word, unsigned lane) const noexcept {
    return key_[word] + (one_key_ ? 0 : lane);
  }
  [[nodiscard]] const std::uint32_t* counter(unsigned lane) const noexcept {
    return counter_ + lane;
  }
  [[nodiscard]] const std::uint32_t* nonce_low(unsigned lane) const noexcept {
    return nonce_low_ + lane;
  }
  [[nodiscard]] const std::uint32_t* nonce_high(unsigned lane) const noexcept {
    return nonce_high_ + lane;
  }

  /// From here on all lanes have this key.
  FERRULE_AVX512_INLINE void set_only_key(const AeadKey& key) noexcept {
    one_key_ = true;
    set_vector_of_keys(0, key);
  }
  /// The key of 16 lanes; from here on lanes have keys of their own, and all must be set.
  FERRULE_AVX512_INLINE void set_key(unsigned lane, const AeadKey& key) noexcept {
    one_key_ = false;
    several_keys_ = true;
    set_vector_of_keys(lane, key);
  }
  /// The nonce of 16 lanes, and ChaCha's block counters, `block` and those that follow.
  FERRULE_AVX512_INLINE void set_blocks(unsigned lane, std::uint64_t nonce,
                                        std::uint32_t block) noexcept {
    const Vec places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    store(counter_ + lane, _mm512_add_epi32(places, _mm512_set1_epi32(static_cast<int>(block))));
    store(nonce_low_ + lane, _mm512_set1_epi32(static_cast<int>(nonce)));
    store(nonce_high_ + lane, _mm512_set1_epi32(static_cast<int>(nonce >> 32)));
  }
  /// Overwrites all keys that were ever set. The rest is no secret.
  FERRULE_AVX512_INLINE void wipe() noexcept {
    for (Row& row : key_) avx512::wipe(row, several_keys_ ? sizeof row / kVecSize : 1);
  }

 private:
  // With room for a vector that starts in the last lane.
  static constexpr std::size_t kRowLanes = kMaxLanes + kVecLanes;
  using Row = std::uint32_t[kRowLanes];

  FERRULE_AVX512_INLINE void set_vector_of_keys(unsigned lane, const AeadKey& key) noexcept {
    for (std::size_t i = 0; i < kKeyWords; ++i) {
      const auto word = static_cast<int>(load_le32(key.data() + i * sizeof(std::uint32_t)));
      store(key_[i] + lane, _mm512_set1_epi32(word));
    }
  }

  alignas(kVecSize) Row key_[kKeyWords];
  alignas(kVecSize) Row nonce_low_;
  alignas(kVecSize) Row nonce_high_;
  alignas(kVecSize) Row counter_;
  bool one_key_ = false;
  bool several_keys_ = false;
};

}  // namespace ferrule::crypto::avx512
