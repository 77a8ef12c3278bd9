// Poly1305 (RFC 8439 §2.5) a block at a time, in words of 64 bits: work for the integer units, which
// the rounds of ChaCha20 leave idle.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ferrule::crypto::interleaved {

constexpr std::size_t kPolyBlockSize = 16;

/// r, which is clamped: its upper word is a multiple of four, so that what r1 contributes above 2^130
/// comes back as a whole number. r1 * 2^128 is r1 * 5/4 modulo 2^130 - 5.
struct Multiplier {
  std::uint64_t r0;
  std::uint64_t r1;
  std::uint64_t wrapped_r1;  // r1 * 5/4
};

struct OneTimeKey {
  Multiplier r;
  std::uint64_t s0;
  std::uint64_t s1;
};

/// Takes it from the first 32 bytes of a block of key stream, the one of counter zero.
inline OneTimeKey one_time_key(const std::uint8_t* block) noexcept {
  OneTimeKey key;
  key.r.r0 = load_le64(block) & 0x0ffffffc0fffffff;  // §2.5: r is clamped
  key.r.r1 = load_le64(block + 8) & 0x0ffffffc0ffffffc;
  key.r.wrapped_r1 = key.r.r1 + (key.r.r1 >> 2);
  key.s0 = load_le64(block + 16);
  key.s1 = load_le64(block + 24);
  return key;
}

/// A number modulo 2^130 - 5, of which `top`, at most 4, stands for top * 2^128.
struct PolySum {
  std::uint64_t low;
  std::uint64_t high;
  std::uint64_t top;
};

/// Keeps the words of a sum in general registers: GCC moves two at a time through a vector register,
/// which then waits for both to reach the cache.
__attribute__((always_inline)) inline void keep_in_registers(PolySum& sum) noexcept {
  asm("" : "+r"(sum.low), "+r"(sum.high), "+r"(sum.top));
}

/// The sum after the first block of a message.
inline PolySum first_block(const std::uint8_t* block) noexcept {
  return {load_le64(block), load_le64(block + 8), 1};
}

/// A tag's 16 bytes on the wire, as little-endian words.
struct Tag {
  std::uint64_t low;
  std::uint64_t high;
};

/// The tag of a message whose last block has been added: sum * r + s.
Tag tag_of(const PolySum& sum, const OneTimeKey& key) noexcept;

}  // namespace ferrule::crypto::interleaved
