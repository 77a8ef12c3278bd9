// Curve25519 as RFC 7748 writes it down, slow and plain: what the vector code is held against.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "base/bytes.h"

namespace ferrule::crypto::test {

using CurveBytes = std::array<std::uint8_t, 32>;

/// A number modulo p = 2^255 - 19, a byte a digit.
class CurveNumber {
 public:
  CurveNumber() = default;
  explicit CurveNumber(Bytes little_endian) {
    for (std::size_t i = 0; i < little_endian.size(); ++i) digits_[i] = little_endian[i];
    fold();
  }
  static CurveNumber word(std::uint64_t value) {
    std::array<std::uint8_t, 8> bytes;
    store_le64(bytes.data(), value);
    return CurveNumber(bytes);
  }
  /// The sum of limb i * 2^(51 i).
  static CurveNumber of_limbs(const std::array<std::uint64_t, 5>& limbs) {
    const CurveNumber weight = word(std::uint64_t{1} << 51);
    CurveNumber number;
    for (std::size_t i = limbs.size(); i-- > 0;) number = number * weight + word(limbs[i]);
    return number;
  }

  friend CurveNumber operator+(CurveNumber a, const CurveNumber& b) {
    for (std::size_t i = 0; i < kDigits; ++i) a.digits_[i] += b.digits_[i];
    a.fold();
    return a;
  }
  friend CurveNumber operator*(const CurveNumber& a, const CurveNumber& b) {
    CurveNumber product;
    for (std::size_t i = 0; i < kDigits; ++i) {
      for (std::size_t j = 0; j < kDigits; ++j) {
        // 2^256 is 2 * 19.
        const std::uint32_t wrap = i + j < kDigits ? 1 : 38;
        product.digits_[(i + j) % kDigits] += wrap * a.digits_[i] * b.digits_[j];
      }
    }
    product.fold();
    return product;
  }
  friend CurveNumber operator-(const CurveNumber& a, const CurveNumber& b) {
    return a + b * minus_one();
  }
  friend bool operator==(const CurveNumber& a, const CurveNumber& b) {
    return a.canonical() == b.canonical();
  }

  /// 1 / this; 0 for 0.
  [[nodiscard]] CurveNumber inverse() const {
    CurveNumber result = word(1);
    for (int bit = 254; bit >= 0; --bit) {
      result = result * result;
      // p - 2 is 2^255 - 21: all ones but for bits 2 and 4.
      if (bit != 2 && bit != 4) result = result * *this;
    }
    return result;
  }

  /// Below p, little-endian.
  [[nodiscard]] CurveBytes canonical() const {
    // x - p is x + 19 - 2^255.
    CurveNumber more = *this;
    more.digits_[0] += 19;
    more.carry();
    const bool reaches_p = more.digits_[kDigits - 1] >= 0x80;
    if (reaches_p) more.digits_[kDigits - 1] -= 0x80;
    const CurveNumber& result = reaches_p ? more : *this;
    CurveBytes bytes;
    for (std::size_t i = 0; i < kDigits; ++i) {
      bytes[i] = static_cast<std::uint8_t>(result.digits_[i]);
    }
    return bytes;
  }

 private:
  static constexpr std::size_t kDigits = 32;

  static CurveNumber minus_one() {
    CurveNumber number;
    number.digits_.fill(0xff);
    number.digits_[0] = 0xec;
    number.digits_[kDigits - 1] = 0x7f;
    return number;
  }
  void carry() {
    for (std::size_t i = 0; i + 1 < kDigits; ++i) {
      digits_[i + 1] += digits_[i] >> 8;
      digits_[i] &= 0xff;
    }
  }
  // Below 2^255 afterwards, digits below 256.
  void fold() {
    carry();
    for (int i = 0; i < 3; ++i) {
      const std::uint32_t above = digits_[kDigits - 1] >> 7;
      digits_[kDigits - 1] &= 0x7f;
      digits_[0] += 19 * above;
      carry();
    }
  }

  std::array<std::uint32_t, kDigits> digits_{};
};

/// RFC 7748 §5: X25519(scalar, point).
inline CurveBytes curve_multiple(CurveBytes scalar, CurveBytes point) {
  scalar[0] &= 0xf8;
  scalar[31] = static_cast<std::uint8_t>((scalar[31] & 0x7f) | 0x40);
  point[31] &= 0x7f;
  const CurveNumber x1(point);
  CurveNumber x2 = CurveNumber::word(1);
  CurveNumber z2;
  CurveNumber x3 = x1;
  CurveNumber z3 = x2;
  for (int i = 254; i >= 0; --i) {
    const bool bit = (scalar[static_cast<std::size_t>(i) / 8] >> i % 8 & 1) != 0;
    if (bit) std::swap(x2, x3), std::swap(z2, z3);
    const CurveNumber a = x2 + z2;
    const CurveNumber b = x2 - z2;
    const CurveNumber da = (x3 - z3) * a;
    const CurveNumber cb = (x3 + z3) * b;
    const CurveNumber aa = a * a;
    const CurveNumber bb = b * b;
    const CurveNumber e = aa - bb;
    x3 = (da + cb) * (da + cb);
    z3 = x1 * ((da - cb) * (da - cb));
    x2 = aa * bb;
    z2 = e * (aa + CurveNumber::word(121665) * e);
    if (bit) std::swap(x2, x3), std::swap(z2, z3);
  }
  return (x2 * z2.inverse()).canonical();
}

}  // namespace ferrule::crypto::test
