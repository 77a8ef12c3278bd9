#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/chacha.h"

#include <gtest/gtest.h>

#include "base/hex_testing.h"
#include "crypto/avx512/skip_testing.h"
#include "crypto/batch/models_testing.h"

namespace ferrule::crypto::avx512 {
namespace {

using test::chacha_block;
using test::ChachaState;
using test::Random;

struct Lane {
  AeadKey key;
  std::uint64_t nonce;
  std::uint32_t block;
};

Lane random_lane(Random& random) {
  const test::Buffer key = test::random_bytes(random, 32);
  return {AeadKey(std::span(key).first<32>()), random(), static_cast<std::uint32_t>(random())};
}

std::array<std::uint8_t, 64> expected_block(const AeadKey& key, std::uint64_t nonce,
                                            std::uint32_t block) {
  ChachaState state = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (std::size_t i = 0; i < 8; ++i) state[4 + i] = load_le32(key.data() + 4 * i);
  state[12] = block;
  state[14] = static_cast<std::uint32_t>(nonce);
  state[15] = static_cast<std::uint32_t>(nonce >> 32);
  return chacha_block(state);
}

FERRULE_AVX512 void set_lanes(LaneInputs& inputs, std::span<const Lane> lanes) {
  LaneFiller filler;
  for (unsigned i = 0; i < lanes.size(); ++i) {
    inputs.set_key(i, lanes[i].key);
    filler.set(i, lanes[i].nonce, lanes[i].block);
  }
  filler.write(inputs);
}
FERRULE_AVX512 void set_all_lanes(LaneInputs& inputs, const Lane& value) {
  inputs.set_only_key(value.key);
  LaneFiller filler;
  filler.set(0, value.nonce, value.block);
  filler.write(inputs);
}

bool holds(const Keystream& stream, unsigned lane, const std::array<std::uint8_t, 64>& block) {
  return std::equal(block.begin(), block.end(), stream.block[lane]);
}

TEST(Avx512ChachaModel, P2_GivesTheBlockOfTheRfc) {
  // RFC 8439 §2.3.2.
  ChachaState state = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504,
                       0x0b0a0908, 0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c,
                       0x00000001, 0x09000000, 0x4a000000, 0x00000000};
  EXPECT_EQ(ferrule::test::hex(chacha_block(state)),
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
            "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
}

TEST(Avx512Chacha, P2_EachLaneHasItsKeyNonceAndCounter) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(1);
  for (unsigned lanes = 1; lanes <= kMaxLanes; ++lanes) {
    LaneInputs inputs;
    std::vector<Lane> values;
    values.reserve(lanes);
    for (unsigned i = 0; i < lanes; ++i) values.push_back(random_lane(random));
    set_lanes(inputs, values);
    Keystream stream;
    make_keystream(inputs, lanes, stream);
    for (unsigned i = 0; i < lanes; ++i) {
      EXPECT_TRUE(holds(stream, i, expected_block(values[i].key, values[i].nonce, values[i].block)))
          << "lane " << i << " of " << lanes;
    }
  }
}

TEST(Avx512Chacha, P2_LanesMayShareAKeyAndCountOn) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(2);
  for (unsigned lanes = 1; lanes <= kMaxLanes; ++lanes) {
    const Lane value = random_lane(random);
    LaneInputs inputs;
    set_all_lanes(inputs, value);
    Keystream stream;
    make_keystream(inputs, lanes, stream);
    for (unsigned i = 0; i < lanes; ++i) {
      EXPECT_TRUE(holds(stream, i, expected_block(value.key, value.nonce, value.block + i)))
          << "lane " << i << " of " << lanes;
    }
  }
}

TEST(Avx512Chacha, WritesTheLanesItSays) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(3);
  LaneInputs inputs;
  set_all_lanes(inputs, random_lane(random));
  for (unsigned lanes = 1; lanes <= kMaxLanes; ++lanes) {
    Keystream stream = {};
    make_keystream(inputs, lanes, stream);
    for (unsigned i = 0; i < kMaxLanes; ++i) {
      EXPECT_EQ(holds(stream, i, {}), i >= lanes_touched(lanes)) << "lane " << i << " of " << lanes;
    }
  }
}

TEST(Avx512Lanes, KeysAreWiped) {
  FERRULE_SKIP_WITHOUT_AVX512();
  const auto words = [](const LaneInputs& inputs, unsigned lane) {
    std::uint32_t any = 0;
    for (std::size_t i = 0; i < kKeyWords; ++i) {
      for (unsigned j = 0; j < LaneInputs::kVecLanes; ++j) any |= inputs.key(i, lane)[j];
    }
    return any;
  };
  struct Wipe {
    FERRULE_AVX512 static void run(LaneInputs& inputs) { inputs.wipe(); }
  };
  Random random(4);
  LaneInputs several;
  std::vector<Lane> lanes;
  lanes.reserve(kMaxLanes);
  for (unsigned i = 0; i < kMaxLanes; ++i) lanes.push_back(random_lane(random));
  set_lanes(several, lanes);
  Wipe::run(several);
  EXPECT_EQ(words(several, 0) | words(several, 16), 0u);
  LaneInputs one;
  set_all_lanes(one, random_lane(random));
  Wipe::run(one);
  EXPECT_EQ(words(one, 0), 0u);
}

}  // namespace
}  // namespace ferrule::crypto::avx512
#endif
