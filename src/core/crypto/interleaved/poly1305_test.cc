#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include "crypto/interleaved/poly1305.h"

#include <gtest/gtest.h>

#include "crypto/batch/models_testing.h"
#include "crypto/interleaved/skip_testing.h"

namespace ferrule::crypto::interleaved {
namespace {

using test::Buffer;
using test::Number;
using test::Random;

Number number_of(const PolySum& sum) {
  return Number::word(sum.low) + Number::word(sum.high) * Number::power_of_2(64) +
         Number::word(sum.top) * Number::power_of_2(128);
}

std::array<std::uint8_t, 16> clamped_r(const Buffer& key_block) {
  std::array<std::uint8_t, 16> r;
  std::copy_n(key_block.begin(), 16, r.begin());
  for (const std::size_t i : {3, 7, 11, 15}) r[i] &= 15;
  for (const std::size_t i : {4, 8, 12}) r[i] &= 252;
  return r;
}

// Now and then the largest key or block there is, or nothing.
Buffer random_or_extreme(Random& random, std::size_t size) {
  switch (random() % 6) {
    case 0:
      return Buffer(size, 0xff);
    case 1:
      return Buffer(size, 0);
    default:
      return test::random_bytes(random, size);
  }
}

// Every value of the words about which carries and reductions turn.
std::vector<PolySum> edges() {
  const std::uint64_t words[] = {0,         1, 4, 5, UINT64_MAX - 5, UINT64_MAX - 4, UINT64_MAX - 1,
                                 UINT64_MAX};
  std::vector<PolySum> sums;
  for (const std::uint64_t low : words) {
    for (const std::uint64_t high : words) {
      for (std::uint64_t top = 0; top <= 4; ++top) sums.push_back({low, high, top});
    }
  }
  return sums;
}

TEST(InterleavedPoly1305, P2_SumOfARandomMessageIsThatOfTheModel) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const Buffer key_block = random_or_extreme(random, 32);
    const OneTimeKey key = one_time_key(key_block.data());
    const Number r(clamped_r(key_block));
    PolySum sum = {0, 0, 0};
    Number expected;
    for (int i = 0; i < 20; ++i) {
      const Buffer block = random_or_extreme(random, 16);
      add_block(sum, key.r, block.data());
      expected = expected * r + Number(block) + Number::power_of_2(128);
      ASSERT_EQ(number_of(sum), expected);
      ASSERT_LE(sum.top, 4u);
    }
  }
}

TEST(InterleavedPoly1305, P2_OneMoreBlockOnEveryEdge) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  Random random(2);
  for (const Buffer& key_block :
       {Buffer(32, 0xff), Buffer(32, 0), test::random_bytes(random, 32)}) {
    const OneTimeKey key = one_time_key(key_block.data());
    for (const PolySum& edge : edges()) {
      for (const Buffer& block : {Buffer(16, 0xff), Buffer(16, 0)}) {
        PolySum sum = edge;
        add_block(sum, key.r, block.data());
        ASSERT_EQ(number_of(sum), number_of(edge) * Number(clamped_r(key_block)) + Number(block) +
                                      Number::power_of_2(128));
        ASSERT_LE(sum.top, 4u);
      }
    }
  }
}

TEST(InterleavedPoly1305, P2_SumBeginsWithTheFirstBlock) {
  Random random(3);
  const Buffer block = test::random_bytes(random, 16);
  EXPECT_EQ(number_of(first_block(block.data())), Number(block) + Number::power_of_2(128));
}

// What a tag has no room for falls away: the model's sum, below p, plus s modulo 2^128.
Tag expected_tag(const PolySum& sum, const Buffer& key_block) {
  __extension__ using Wide = unsigned __int128;
  const auto wide = [](const std::uint8_t* bytes) {
    return load_le64(bytes) | static_cast<Wide>(load_le64(bytes + 8)) << 64;
  };
  const auto value = (number_of(sum) * Number(clamped_r(key_block))).canonical();
  const Wide tag = wide(value.data()) + wide(key_block.data() + 16);
  return {static_cast<std::uint64_t>(tag), static_cast<std::uint64_t>(tag >> 64)};
}

TEST(InterleavedPoly1305, P2_TagIsTheLastProductPlusS) {
  Random random(4);
  const auto all = edges();
  for (int round = 0; round < 3000; ++round) {
    Buffer key_block = random_or_extreme(random, 32);
    // r = 1 lets every edge through to the final reduction as it is.
    if (round % 2 == 0) {
      std::fill_n(key_block.begin(), 16, std::uint8_t{0});
      key_block[0] = 1;
    }
    const PolySum& sum = all[static_cast<std::size_t>(round) % all.size()];
    const Tag tag = tag_of(sum, one_time_key(key_block.data()));
    const Tag expected = expected_tag(sum, key_block);
    ASSERT_EQ(tag.low, expected.low);
    ASSERT_EQ(tag.high, expected.high);
  }
}

}  // namespace
}  // namespace ferrule::crypto::interleaved
#endif
