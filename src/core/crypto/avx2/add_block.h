// The step of Poly1305 that is made over and over.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/avx2/target.h"
#include "crypto/interleaved/poly1305.h"

namespace ferrule::crypto::avx2 {

using interleaved::kPolyBlockSize;
using interleaved::Multiplier;
using interleaved::PolySum;

/// sum = sum * r + block + 2^128.
///
/// In assembler, so that it takes 27 instructions, has no multiplication more than it needs, and may
/// stand between vector instructions as it is. What it adds up can't overflow: r0 and r1 are below
/// 2^60, wrapped_r1 below 5/4 of that, and top is at most 4.
__attribute__((always_inline)) inline void add_block(PolySum& sum, const Multiplier& r,
                                                     const std::uint8_t* block) noexcept {
  std::uint64_t word0;  // the result, words 0 and 1; the third takes shape in sum.top
  std::uint64_t word1;
  std::uint64_t carry1;  // what goes into word 1
  std::uint64_t carry2;  // and into the third
  std::uint64_t low;
  std::uint64_t high;
  using Block = const std::uint8_t(*)[kPolyBlockSize];
  asm("mov %[h0], %%rdx\n\t"
      "mulx (%[r]), %[word0], %[carry1]\n\t"   // h0 * r0
      "mulx 8(%[r]), %[word1], %[carry2]\n\t"  // h0 * r1
      "mov %[h1], %%rdx\n\t"
      "mulx 16(%[r]), %[low], %[high]\n\t"  // h1 * r1, wrapped
      "mulx (%[r]), %[h0], %[h1]\n\t"       // h1 * r0
      "mov %[h2], %%rdx\n\t"
      "imul 16(%[r]), %%rdx\n\t"  // h2 * r1, wrapped
      "imul (%[r]), %[h2]\n\t"    // h2 * r0
      // The block goes in where carries are added anyway.
      "add (%[block]), %[word0]\n\t"
      "adc $0, %[carry1]\n\t"
      "add 8(%[block]), %[word1]\n\t"
      "adc %[carry2], %[h2]\n\t"
      "add %[low], %[word0]\n\t"
      "adc %[high], %[carry1]\n\t"
      "add %[h0], %[word1]\n\t"
      "adc %[h1], %[h2]\n\t"
      "add %%rdx, %[carry1]\n\t"
      "add %[carry1], %[word1]\n\t"
      "adc $1, %[h2]\n\t"  // and 2^128
      // What is above 2^130 comes back times five.
      "mov %[h2], %[low]\n\t"
      "shr $2, %[low]\n\t"
      "and $3, %k[h2]\n\t"
      "lea (%[low], %[low], 4), %[low]\n\t"
      "add %[low], %[word0]\n\t"
      "adc $0, %[word1]\n\t"
      "adc $0, %[h2]"
      : [h0] "+&r"(sum.low), [h1] "+&r"(sum.high), [h2] "+&r"(sum.top), [word0] "=&r"(word0),
        [word1] "=&r"(word1), [carry1] "=&r"(carry1), [carry2] "=&r"(carry2), [low] "=&r"(low),
        [high] "=&r"(high)
      : [r] "r"(&r), "m"(r), [block] "r"(block), "m"(*reinterpret_cast<Block>(block))
      : "rdx", "cc");
  sum.low = word0;
  sum.high = word1;
}

}  // namespace ferrule::crypto::avx2
