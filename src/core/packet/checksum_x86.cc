// Sums with AVX2. `vpmaddwd` by ones adds pairs of 16-bit words into 32 bits, but takes
// them as signed: flipping the top bit of every word first makes each 2^15 too small, which is put
// right at the end, where the number of words is known. Three operations a vector.
//
// The last vector is loaded so that it ends where the bytes end, overlapping the one before; what has
// been counted already is masked away. So nothing outside the span is touched and nothing is scalar.
//
// AVX-512 was measured too (Zen 4, 1380 bytes): 15 ns instead of 17 to sum, none gained on a copy.
#if defined(__x86_64__)

#include <immintrin.h>

#include "packet/checksum_kernels.h"

namespace ferrule::packet::detail {

namespace {

constexpr std::size_t kWidth = 32;  // bytes in a vector
constexpr std::int64_t kBias = 1 << 15;

// A sum that starts at an odd offset is the right one with its bytes swapped: RFC 1071 §2(B).
std::uint64_t swapped(std::uint64_t sum) noexcept {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return __builtin_bswap16(static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16)));
}

#define FERRULE_AVX2 __attribute__((target("avx2"), always_inline)) inline

FERRULE_AVX2 __m256i pair_sums(__m256i words) noexcept {
  const __m256i top_bits = _mm256_set1_epi16(static_cast<short>(0x8000));
  return _mm256_madd_epi16(_mm256_xor_si256(words, top_bits), _mm256_set1_epi16(1));
}

FERRULE_AVX2 std::int64_t total(__m256i sums) noexcept {
  const __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(sums));
  const __m256i high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(sums, 1));
  const __m256i both = _mm256_add_epi64(low, high);
  const __m128i half =
      _mm_add_epi64(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

// kTailMask + n masks away the first 32 - n bytes of a vector.
alignas(64) constexpr std::uint8_t kTailMask[64] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

template <bool kCopy>
FERRULE_AVX2 __m256i take(const std::uint8_t* from, std::uint8_t* to, std::size_t at) noexcept {
  const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at));
  if constexpr (kCopy) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + at), words);
  return words;
}

template <bool kCopy>
FERRULE_AVX2 std::uint64_t run_avx2(const std::uint8_t* from, std::uint8_t* to,
                                    std::size_t size) noexcept {
  __m256i first = _mm256_setzero_si256();
  __m256i second = _mm256_setzero_si256();
  std::size_t at = 0;
  for (; size - at >= 2 * kWidth; at += 2 * kWidth) {
    first = _mm256_add_epi32(first, pair_sums(take<kCopy>(from, to, at)));
    second = _mm256_add_epi32(second, pair_sums(take<kCopy>(from, to, at + kWidth)));
  }
  if (size - at >= kWidth) {
    first = _mm256_add_epi32(first, pair_sums(take<kCopy>(from, to, at)));
    at += kWidth;
  }
  std::int64_t sum =
      total(_mm256_add_epi32(first, second)) + kBias * static_cast<std::int64_t>(at / 2);
  if (at == size) return static_cast<std::uint64_t>(sum);

  const std::size_t rest = size - at;
  const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kTailMask + rest));
  const __m256i words = _mm256_and_si256(take<kCopy>(from, to, size - kWidth), mask);
  const auto tail =
      static_cast<std::uint64_t>(total(pair_sums(words)) + kBias * std::int64_t{kWidth / 2});
  return static_cast<std::uint64_t>(sum) + (size % 2 == 0 ? tail : swapped(tail));
}

}  // namespace

__attribute__((target("avx2"))) std::uint64_t sum_avx2(const std::uint8_t* from,
                                                       std::size_t size) noexcept {
  if (size < kWidth) return sum_portable(from, size);
  return run_avx2<false>(from, nullptr, size);
}

__attribute__((target("avx2"))) std::uint64_t copy_sum_avx2(const std::uint8_t* from,
                                                            std::uint8_t* to,
                                                            std::size_t size) noexcept {
  if (size < kWidth) return copy_sum_portable(from, to, size);
  return run_avx2<true>(from, to, size);
}

}  // namespace ferrule::packet::detail

#endif
