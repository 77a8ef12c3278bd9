#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/field.h"

#include <gtest/gtest.h>

#include "crypto/avx512/skip_testing.h"
#include "crypto/batch/models_testing.h"

namespace ferrule::crypto::avx512 {
namespace {

using test::Number;
using test::Random;

// Eight elements in memory.
struct Lanes {
  std::uint64_t limb0[8];
  std::uint64_t limb1[8];
  std::uint64_t limb2[8];

  FERRULE_AVX512_INLINE static Lanes of(const Element& element) {
    Lanes lanes;
    store(lanes.limb0, element.limb0);
    store(lanes.limb1, element.limb1);
    store(lanes.limb2, element.limb2);
    return lanes;
  }
  FERRULE_AVX512_INLINE Element element() const { return {load(limb0), load(limb1), load(limb2)}; }
  [[nodiscard]] Number number(std::size_t lane) const {
    return {limb0[lane], limb1[lane], limb2[lane]};
  }
};

constexpr std::uint64_t ones(unsigned bits) { return (std::uint64_t{1} << bits) - 1; }

// Limbs of up to `bits` bits (limb 2: two less), many of them all zeros or all ones.
std::uint64_t random_limb(Random& random, unsigned bits) {
  switch (random() % 4) {
    case 0:
      return 0;
    case 1:
      return ones(bits);
    default:
      return random() & ones(bits);
  }
}
Lanes random_lanes(Random& random, unsigned bits) {
  Lanes lanes;
  for (std::size_t i = 0; i < 8; ++i) {
    lanes.limb0[i] = random_limb(random, bits);
    lanes.limb1[i] = random_limb(random, bits);
    lanes.limb2[i] = random_limb(random, bits - 2);
  }
  return lanes;
}

FERRULE_AVX512 Lanes product(const Lanes& a, const Lanes& b) {
  return Lanes::of(multiply(a.element(), multiplier(b.element())));
}
FERRULE_AVX512 Lanes sum_of_products(const Lanes& start, const Lanes (&a)[4], const Lanes (&b)[4]) {
  Sum sum = sum_of(start.element());
  for (std::size_t i = 0; i < 4; ++i) add_product(sum, a[i].element(), multiplier(b[i].element()));
  return Lanes::of(reduce(sum));
}
struct Words {
  std::uint64_t low[8];
  std::uint64_t high[8];
};
FERRULE_AVX512 Lanes split_words(const Words& words) {
  return Lanes::of(split(load(words.low), load(words.high), block_end()));
}
FERRULE_AVX512 Words frozen(const Lanes& lanes) {
  const Residue residue = freeze(lanes.element());
  Words words;
  store(words.low, residue.low);
  store(words.high, residue.high);
  return words;
}

constexpr int kRounds = 2000;

TEST(Avx512Field, ProductIsTheModels) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(1);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes a = random_lanes(random, 45);
    const Lanes b = random_lanes(random, 45);
    const Lanes c = product(a, b);
    for (std::size_t i = 0; i < 8; ++i) ASSERT_TRUE(c.number(i) == a.number(i) * b.number(i));
  }
}

TEST(Avx512Field, FourProductsOfTheLargestLimbsDoNotOverflow) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(2);
  for (int round = 0; round < kRounds; ++round) {
    const Lanes start = random_lanes(random, 45);
    Lanes a[4];
    Lanes b[4];
    for (std::size_t i = 0; i < 4; ++i) {
      a[i] = random_lanes(random, 45);
      b[i] = random_lanes(random, 45);
    }
    const Lanes sum = sum_of_products(start, a, b);
    for (std::size_t i = 0; i < 8; ++i) {
      Number expected = start.number(i);
      for (std::size_t j = 0; j < 4; ++j) expected = expected + a[j].number(i) * b[j].number(i);
      ASSERT_TRUE(sum.number(i) == expected);
    }
  }
}

// Half of what `add_product` takes: so an element and a block may be added up first.
TEST(Avx512Field, ReducedLimbsLeaveRoomForASum) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(3);
  for (int round = 0; round < kRounds; ++round) {
    Lanes a[4];
    for (Lanes& lanes : a) lanes = random_lanes(random, 45);
    const Lanes sum = sum_of_products(a[0], a, a);
    for (std::size_t i = 0; i < 8; ++i) {
      ASSERT_LT(sum.limb0[i], ones(44) + ones(18));
      ASSERT_LT(sum.limb1[i], ones(44) + ones(18));
      ASSERT_LT(sum.limb2[i], ones(42) + ones(18));
    }
  }
}

TEST(Avx512Field, BlockIsSplitIntoLimbsWithItsEndBit) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(4);
  Words words;
  for (std::size_t i = 0; i < 8; ++i) words.low[i] = random(), words.high[i] = random();
  words.low[0] = words.high[0] = UINT64_MAX;
  const Lanes lanes = split_words(words);
  for (std::size_t i = 0; i < 8; ++i) {
    const Number expected = Number::word(words.low[i]) +
                            Number::word(words.high[i]) * Number::power_of_2(64) +
                            Number::power_of_2(128);
    EXPECT_TRUE(lanes.number(i) == expected);
    EXPECT_LE(lanes.limb0[i] | lanes.limb1[i], ones(44));
    EXPECT_LE(lanes.limb2[i], ones(42));
  }
}

void expect_frozen(const Lanes& lanes) {
  const Words words = frozen(lanes);
  for (std::size_t i = 0; i < 8; ++i) {
    const auto expected = lanes.number(i).canonical();
    ASSERT_EQ(words.low[i], load_le64(expected.data()));
    ASSERT_EQ(words.high[i], load_le64(expected.data() + 8));
  }
}

TEST(Avx512Field, FrozenIsBelowP) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(5);
  for (int round = 0; round < kRounds; ++round) {
    expect_frozen(random_lanes(random, 44));
    expect_frozen(random_lanes(random, 60));
  }
}

// 0, 1, then p - 2 to p + 3, written in limbs: p is 3fffffffffb.. in the lowest limb.
TEST(Avx512Field, FrozenTurnsAtP) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Lanes lanes = {};
  lanes.limb0[1] = 1;
  for (std::size_t i = 2; i < 8; ++i) {
    lanes.limb0[i] = ones(44) - 4 - 2 + (i - 2);
    lanes.limb1[i] = ones(44);
    lanes.limb2[i] = ones(42);
  }
  expect_frozen(lanes);
  EXPECT_TRUE(lanes.number(4) == Number()) << "the model: p is zero";
  EXPECT_FALSE(lanes.number(3) == Number());
}

}  // namespace
}  // namespace ferrule::crypto::avx512
#endif
