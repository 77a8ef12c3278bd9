#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/curve_field.h"

#include <gtest/gtest.h>

#include "crypto/avx512/curve_model_testing.h"
#include "crypto/avx512/skip_testing.h"
#include "crypto/batch/models_testing.h"

namespace ferrule::crypto::avx512::curve {
namespace {

using test::CurveNumber;
using test::Random;

constexpr std::size_t kLanes = 8;
constexpr int kRounds = 1000;
// What `carry` promises and `multiply` takes.
constexpr std::uint64_t kLargestLimb = (std::uint64_t{1} << 51) + (std::uint64_t{1} << 16) - 1;
constexpr std::uint64_t kLargestProduct = (std::uint64_t{1} << 60) - 1;

// Eight elements in memory.
struct Lanes {
  std::uint64_t limb[kLimbs][kLanes];

  template <class Limbs>
  FERRULE_AVX512_INLINE static Lanes of(const Limbs& limbs) {
    Lanes lanes;
    for (std::size_t i = 0; i < kLimbs; ++i) store(lanes.limb[i], limbs.limb[i]);
    return lanes;
  }
  template <class Limbs>
  FERRULE_AVX512_INLINE Limbs as() const {
    Limbs limbs;
    for (std::size_t i = 0; i < kLimbs; ++i) limbs.limb[i] = load(limb[i]);
    return limbs;
  }
  [[nodiscard]] CurveNumber number(std::size_t lane) const {
    return CurveNumber::of_limbs(
        {limb[0][lane], limb[1][lane], limb[2][lane], limb[3][lane], limb[4][lane]});
  }
};

// Many limbs are zero or the largest.
Lanes random_lanes(Random& random, std::uint64_t largest) {
  Lanes lanes;
  for (auto& limb : lanes.limb) {
    for (auto& value : limb) {
      const auto kind = random() % 4;
      value = kind == 0 ? 0 : kind == 1 ? largest : random() % (largest + 1);
    }
  }
  return lanes;
}

FERRULE_AVX512 Lanes product(const Lanes& a, const Lanes& b) {
  return Lanes::of(multiply(a.as<Element>(), b.as<Element>()));
}
FERRULE_AVX512 Lanes squared(const Lanes& a) { return Lanes::of(square(a.as<Element>())); }
FERRULE_AVX512 Lanes sum(const Lanes& a, const Lanes& b) {
  return Lanes::of(add(a.as<Wide>(), b.as<Wide>()));
}
FERRULE_AVX512 Lanes difference(const Lanes& a, const Lanes& b) {
  return Lanes::of(subtract(a.as<Wide>(), b.as<Wide>()));
}
FERRULE_AVX512 Lanes carried(const Lanes& a) { return Lanes::of(carry(a.as<Wide>())); }
FERRULE_AVX512 Lanes with_multiple(const Lanes& a, const Lanes& b, std::uint64_t factor) {
  return Lanes::of(add_multiple(a.as<Element>(), b.as<Element>(), factor));
}
FERRULE_AVX512 Lanes selected(std::uint8_t lanes, const Lanes& a, const Lanes& b) {
  return Lanes::of(select(lanes, a.as<Element>(), b.as<Element>()));
}
struct Bytes32 {
  std::uint64_t word[4][kLanes];
  [[nodiscard]] test::CurveBytes lane(std::size_t i) const {
    test::CurveBytes bytes;
    for (std::size_t j = 0; j < 4; ++j) store_le64(bytes.data() + 8 * j, word[j][i]);
    return bytes;
  }
};
FERRULE_AVX512 Bytes32 packed(const Lanes& a) {
  const Words words = pack(a.as<Element>());
  Bytes32 bytes;
  for (std::size_t i = 0; i < 4; ++i) store(bytes.word[i], words.word[i]);
  return bytes;
}
FERRULE_AVX512 Lanes unpacked(const Bytes32& bytes) {
  return Lanes::of(unpack(
      {{load(bytes.word[0]), load(bytes.word[1]), load(bytes.word[2]), load(bytes.word[3])}}));
}

void expect_limbs_up_to(std::uint64_t largest, const Lanes& lanes) {
  for (const auto& limb : lanes.limb) {
    for (const std::uint64_t value : limb) ASSERT_LE(value, largest);
  }
}

TEST(Avx512CurveField, ProductIsTheModels) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(1);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes a = random_lanes(random, kLargestLimb);
    const Lanes b = random_lanes(random, kLargestLimb);
    const Lanes c = product(a, b);
    expect_limbs_up_to(kLargestProduct, c);
    for (std::size_t i = 0; i < kLanes; ++i) ASSERT_TRUE(c.number(i) == a.number(i) * b.number(i));
  }
}

TEST(Avx512CurveField, SquareIsTheModels) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(2);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes a = random_lanes(random, kLargestLimb);
    const Lanes b = squared(a);
    expect_limbs_up_to(kLargestProduct, b);
    for (std::size_t i = 0; i < kLanes; ++i) ASSERT_TRUE(b.number(i) == a.number(i) * a.number(i));
  }
}

TEST(Avx512CurveField, ProductsOfTheLargestLimbsDoNotOverflow) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Lanes largest;
  for (auto& limb : largest.limb) std::fill(std::begin(limb), std::end(limb), kLargestLimb);
  const CurveNumber expected = largest.number(0) * largest.number(0);
  expect_limbs_up_to(kLargestProduct, product(largest, largest));
  expect_limbs_up_to(kLargestProduct, squared(largest));
  EXPECT_TRUE(product(largest, largest).number(0) == expected);
  EXPECT_TRUE(squared(largest).number(0) == expected);
}

TEST(Avx512CurveField, SumsAndDifferencesOfProductsAreTheModels) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(3);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes a = random_lanes(random, kLargestProduct - (std::uint64_t{1} << 58));
    const Lanes b = random_lanes(random, kLargestProduct - (std::uint64_t{1} << 58));
    const Lanes added = sum(a, b);
    const Lanes subtracted = difference(a, b);
    expect_limbs_up_to(2 * kLargestProduct, subtracted);
    for (std::size_t i = 0; i < kLanes; ++i) {
      ASSERT_TRUE(added.number(i) == a.number(i) + b.number(i));
      ASSERT_TRUE(subtracted.number(i) == a.number(i) - b.number(i));
    }
  }
}

TEST(Avx512CurveField, CarriedLimbsMayBeMultiplied) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(4);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes a = random_lanes(random, 2 * kLargestProduct);
    const Lanes b = carried(a);
    expect_limbs_up_to(kLargestLimb, b);
    for (std::size_t i = 0; i < kLanes; ++i) ASSERT_TRUE(a.number(i) == b.number(i));
  }
}

TEST(Avx512CurveField, MultipleIsTheModels) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(5);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes a = random_lanes(random, kLargestLimb);
    const Lanes b = random_lanes(random, kLargestLimb);
    const std::uint64_t factor = random() % (1 << 17);
    const Lanes c = with_multiple(a, b, factor);
    expect_limbs_up_to(kLargestProduct, c);
    for (std::size_t i = 0; i < kLanes; ++i) {
      ASSERT_TRUE(c.number(i) == a.number(i) + b.number(i) * CurveNumber::word(factor));
    }
  }
}

TEST(Avx512CurveField, SelectTakesTheLanesOfItsMaskFromTheSecond) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(6);
  const Lanes a = random_lanes(random, kLargestLimb);
  const Lanes b = random_lanes(random, kLargestLimb);
  const Lanes c = selected(0b10110001, a, b);
  for (std::size_t i = 0; i < kLanes; ++i) {
    EXPECT_TRUE(c.number(i) == ((0b10110001 >> i & 1) != 0 ? b : a).number(i));
  }
}

TEST(Avx512CurveField, P1_HighestBitIsIgnored) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(7);
  Bytes32 bytes;
  for (auto& word : bytes.word) {
    for (auto& value : word) value = random();
  }
  const Lanes lanes = unpacked(bytes);
  expect_limbs_up_to((std::uint64_t{1} << 51) - 1, lanes);
  for (std::size_t i = 0; i < kLanes; ++i) {
    test::CurveBytes expected = bytes.lane(i);
    expected[31] &= 0x7f;
    EXPECT_TRUE(lanes.number(i) == CurveNumber(expected));
  }
}

TEST(Avx512CurveField, PackedIsBelowP) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(8);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes lanes = random_lanes(random, kLargestLimb);
    const Bytes32 bytes = packed(lanes);
    for (std::size_t i = 0; i < kLanes; ++i) {
      ASSERT_EQ(bytes.lane(i), lanes.number(i).canonical());
    }
  }
}

// p - 4 to p + 3, written in limbs.
TEST(Avx512CurveField, PackedTurnsAtP) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Lanes lanes;
  for (auto& limb : lanes.limb) std::fill(std::begin(limb), std::end(limb), (1ull << 51) - 1);
  for (std::size_t i = 0; i < kLanes; ++i) lanes.limb[0][i] = (1ull << 51) - 19 - 4 + i;
  const Bytes32 bytes = packed(lanes);
  test::CurveBytes p_minus_1;
  p_minus_1.fill(0xff);
  p_minus_1.front() = 0xec;
  p_minus_1.back() = 0x7f;
  EXPECT_EQ(bytes.lane(3), p_minus_1);
  EXPECT_EQ(bytes.lane(4), test::CurveBytes{});
  EXPECT_EQ(bytes.lane(5), test::CurveBytes{1});
  EXPECT_EQ(bytes.lane(7), test::CurveBytes{3});
}

}  // namespace
}  // namespace ferrule::crypto::avx512::curve
#endif
