// The step of Poly1305 that is made over and over.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/interleaved/poly1305.h"
#include "crypto/neon/target.h"

namespace ferrule::crypto::neon {

using interleaved::kPolyBlockSize;
using interleaved::Multiplier;
using interleaved::PolySum;

/// sum = sum * r + block + 2^128.
///
/// In assembler, so that it takes 26 instructions, and may stand between vector instructions as it is.
/// What it adds up can't overflow: r0 and r1 are below 2^60, wrapped_r1 below 5/4 of that, and top is
/// at most 4.
__attribute__((always_inline)) inline void add_block(PolySum& sum, const Multiplier& r,
                                                     const std::uint8_t* block) noexcept {
  std::uint64_t word0;  // the result, words 0 and 1; the third takes shape in word2
  std::uint64_t word1;
  std::uint64_t word2;
  std::uint64_t low;
  std::uint64_t high;
  std::uint64_t text0;
  std::uint64_t text1;
  using Block = const std::uint8_t(*)[kPolyBlockSize];
  asm("mul %[word0], %[h0], %[r0]\n\t"
      "umulh %[word1], %[h0], %[r0]\n\t"
      "mul %[low], %[h1], %[w1]\n\t"
      "umulh %[high], %[h1], %[w1]\n\t"
      "ldp %[text0], %[text1], %[block]\n\t"
      "madd %[word1], %[h2], %[w1], %[word1]\n\t"
      "umulh %[word2], %[h0], %[r1]\n\t"
      "adds %[word0], %[word0], %[low]\n\t"
      "mul %[low], %[h0], %[r1]\n\t"
      "adc %[word1], %[word1], %[high]\n\t"
      "madd %[word2], %[h2], %[r0], %[word2]\n\t"
      "umulh %[high], %[h1], %[r0]\n\t"
      "adds %[word1], %[word1], %[low]\n\t"
      "mul %[low], %[h1], %[r0]\n\t"
      "adc %[word2], %[word2], %[high]\n\t"
      "adds %[word1], %[word1], %[low]\n\t"
      "cinc %[word2], %[word2], cs\n\t"
      "adds %[word0], %[word0], %[text0]\n\t"
      "adcs %[word1], %[word1], %[text1]\n\t"
      "adc %[word2], %[word2], %[one]\n\t"
      // What is above 2^130 comes back times five: four times as it stands, and once more.
      "and %[low], %[word2], #-4\n\t"
      "and %[h2], %[word2], #3\n\t"
      "add %[low], %[low], %[word2], lsr #2\n\t"
      "adds %[h0], %[word0], %[low]\n\t"
      "adcs %[h1], %[word1], xzr\n\t"
      "cinc %[h2], %[h2], cs"
      : [h0] "+&r"(sum.low), [h1] "+&r"(sum.high), [h2] "+&r"(sum.top), [word0] "=&r"(word0),
        [word1] "=&r"(word1), [word2] "=&r"(word2), [low] "=&r"(low), [high] "=&r"(high),
        [text0] "=&r"(text0), [text1] "=&r"(text1)
      : [r0] "r"(r.r0), [r1] "r"(r.r1), [w1] "r"(r.wrapped_r1), [one] "r"(std::uint64_t{1}),
        [block] "Q"(*reinterpret_cast<Block>(block))
      : "cc");
}

}  // namespace ferrule::crypto::neon
