// The cipher and the authenticator as RFC 8439 writes them down, slow and plain: what the vector
// code is held against, part by part.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace ferrule::crypto::test {

using Random = std::mt19937_64;
using Buffer = std::vector<std::uint8_t>;

inline Buffer random_bytes(Random& random, std::size_t size) {
  Buffer bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

/// RFC 8439 §2.3: the state before the rounds, then the block it gives.
using ChachaState = std::array<std::uint32_t, 16>;

inline void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) {
  a += b, d = std::rotl(d ^ a, 16);
  c += d, b = std::rotl(b ^ c, 12);
  a += b, d = std::rotl(d ^ a, 8);
  c += d, b = std::rotl(b ^ c, 7);
}

inline std::array<std::uint8_t, 64> chacha_block(const ChachaState& start) {
  ChachaState x = start;
  for (int i = 0; i < 10; ++i) {
    for (std::size_t j = 0; j < 4; ++j) quarter_round(x[j], x[4 + j], x[8 + j], x[12 + j]);
    for (std::size_t j = 0; j < 4; ++j) {
      quarter_round(x[j], x[4 + (j + 1) % 4], x[8 + (j + 2) % 4], x[12 + (j + 3) % 4]);
    }
  }
  std::array<std::uint8_t, 64> block;
  for (std::size_t i = 0; i < 16; ++i) store_le32(block.data() + 4 * i, x[i] + start[i]);
  return block;
}

/// A number modulo p = 2^130 - 5, a byte a digit.
class Number {
 public:
  Number() = default;
  explicit Number(Bytes little_endian) {
    std::copy(little_endian.begin(), little_endian.end(), digits_.begin());
    fold();
  }
  /// limb0 + limb1 * 2^44 + limb2 * 2^88.
  Number(std::uint64_t limb0, std::uint64_t limb1, std::uint64_t limb2) {
    *this = word(limb0) + word(limb1) * power_of_2(44) + word(limb2) * power_of_2(88);
  }
  static Number word(std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes;
    store_le64(bytes.data(), value);
    return Number(bytes);
  }
  static Number power_of_2(unsigned exponent) {
    std::array<std::uint8_t, 17> bytes{};
    bytes[exponent / 8] = static_cast<std::uint8_t>(1u << exponent % 8);
    return Number(bytes);
  }

  friend Number operator+(Number a, const Number& b) {
    for (std::size_t i = 0; i < a.digits_.size(); ++i) a.digits_[i] += b.digits_[i];
    a.fold();
    return a;
  }
  friend Number operator*(const Number& a, const Number& b) {
    Number product;
    for (std::size_t i = 0; i < kDigits; ++i) {
      for (std::size_t j = 0; j < kDigits; ++j) {
        // 2^136 is 2^6 * 2^130, that is, 64 * 5.
        const std::uint32_t wrap = i + j < kDigits ? 1 : 320;
        product.digits_[(i + j) % kDigits] += wrap * a.digits_[i] * b.digits_[j];
      }
    }
    product.fold();
    return product;
  }
  friend bool operator==(const Number& a, const Number& b) {
    return a.canonical() == b.canonical();
  }

  /// Below p, little-endian.
  [[nodiscard]] std::array<std::uint8_t, 17> canonical() const {
    // x - p is x + 5 - 2^130.
    Number plus_5 = *this;
    plus_5.digits_[0] += 5;
    plus_5.carry();
    const bool reaches_p = plus_5.digits_[kDigits - 1] >= 4;
    std::array<std::uint8_t, 17> bytes;
    if (reaches_p) plus_5.digits_[kDigits - 1] -= 4;
    const Number& result = reaches_p ? plus_5 : *this;
    for (std::size_t i = 0; i < kDigits; ++i)
      bytes[i] = static_cast<std::uint8_t>(result.digits_[i]);
    return bytes;
  }

 private:
  static constexpr std::size_t kDigits = 17;

  void carry() {
    for (std::size_t i = 0; i + 1 < kDigits; ++i) {
      digits_[i + 1] += digits_[i] >> 8;
      digits_[i] &= 0xff;
    }
  }
  void fold_once() {
    carry();
    const std::uint32_t above = digits_[kDigits - 1] >> 2;
    digits_[kDigits - 1] &= 3;
    digits_[0] += 5 * above;
    carry();
  }
  // Below 2^130 afterwards, digits below 256.
  void fold() {
    for (int i = 0; i < 3; ++i) fold_once();
  }

  std::array<std::uint32_t, kDigits> digits_{};
};

/// RFC 8439 §2.5 and §2.8 without associated data: the sum of powers before s is added. `r` is
/// clamped.
inline Number poly1305_sum(Bytes r, Bytes ciphertext) {
  Buffer message(ciphertext.begin(), ciphertext.end());
  message.resize((message.size() + 15) / 16 * 16 + 16);
  store_le64(message.data() + message.size() - 8, ciphertext.size());
  const Number key(r);
  Number h;
  for (std::size_t i = 0; i < message.size(); i += 16) {
    h = (h + Number(Bytes(message).subspan(i, 16)) + Number::power_of_2(128)) * key;
  }
  return h;
}

/// The tag as two little-endian words.
struct ModelTag {
  std::uint64_t low;
  std::uint64_t high;
};

/// The tag of a ciphertext under the one-time key that a block of key stream begins with.
inline ModelTag poly1305_tag(Bytes key_block, Bytes ciphertext) {
  std::array<std::uint8_t, 16> r;
  std::copy_n(key_block.begin(), 16, r.begin());
  for (const std::size_t i : {3, 7, 11, 15}) r[i] &= 15;
  for (const std::size_t i : {4, 8, 12}) r[i] &= 252;
  const auto sum = poly1305_sum(r, ciphertext).canonical();
  __extension__ using Wide = unsigned __int128;
  const auto wide = [](const std::uint8_t* bytes) {
    return load_le64(bytes) | static_cast<Wide>(load_le64(bytes + 8)) << 64;
  };
  const Wide tag = wide(sum.data()) + wide(key_block.data() + 16);
  return {static_cast<std::uint64_t>(tag), static_cast<std::uint64_t>(tag >> 64)};
}

}  // namespace ferrule::crypto::test
