#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include "crypto/interleaved/chacha.h"

#include <gtest/gtest.h>

#include "crypto/batch/models_testing.h"
#include "crypto/interleaved/few_blocks.h"
#include "crypto/interleaved/skip_testing.h"

namespace ferrule::crypto::interleaved {
namespace {

using test::Buffer;
using test::chacha_block;
using test::ChachaState;
using test::Random;

struct Lane {
  AeadKey key;
  std::uint64_t nonce;
  std::uint32_t block;
};

AeadKey random_key(Random& random) {
  const Buffer key = test::random_bytes(random, 32);
  return AeadKey(std::span(key).first<32>());
}

std::vector<Lane> random_lanes(Random& random) {
  std::vector<Lane> lanes;
  for (unsigned i = 0; i < kLanes; ++i) {
    lanes.push_back({random_key(random), random(), static_cast<std::uint32_t>(random())});
  }
  return lanes;
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

FERRULE_VECTOR void set_lanes(LaneInputs& inputs, std::span<const Lane> lanes) {
  LaneFiller filler;
  for (unsigned i = 0; i < lanes.size(); ++i) {
    inputs.set_key(i, lanes[i].key);
    filler.set(i, lanes[i].nonce, lanes[i].block);
  }
  filler.write(inputs);
}

// All lanes with one key, the lanes from `lane` on with another nonce.
FERRULE_VECTOR void set_two_runs(LaneInputs& inputs, unsigned lane, const Lane& first,
                                 const Lane& second) {
  inputs.set_key(0, first.key);
  LaneFiller filler;
  filler.set(0, first.nonce, first.block);
  filler.set(lane, second.nonce, second.block);
  filler.write(inputs);
}

bool holds(const Keystream& stream, unsigned lane, const std::array<std::uint8_t, 64>& block) {
  return std::equal(block.begin(), block.end(), stream.block[lane]);
}

TEST(InterleavedChacha, P2_EachLaneHasItsKeyNonceAndCounter) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    const auto lanes = random_lanes(random);
    LaneInputs inputs = {};
    set_lanes(inputs, lanes);
    Keystream stream;
    Authenticator idle = {};
    idle.start({});
    make_keystream(inputs, stream, idle);
    for (unsigned i = 0; i < kLanes; ++i) {
      EXPECT_TRUE(holds(stream, i, expected_block(lanes[i].key, lanes[i].nonce, lanes[i].block)))
          << "lane " << i;
    }
  }
}

TEST(InterleavedChacha, P2_LanesMayShareAKeyAndCountOn) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  Random random(2);
  for (unsigned lane = 1; lane < kLanes; ++lane) {
    const auto values = random_lanes(random);
    LaneInputs inputs = {};
    set_two_runs(inputs, lane, values[0], values[1]);
    Keystream stream;
    Authenticator idle = {};
    idle.start({});
    make_keystream(inputs, stream, idle);
    for (unsigned i = 0; i < kLanes; ++i) {
      const Lane& value = values[i < lane ? 0 : 1];
      const std::uint32_t block = value.block + (i < lane ? i : i - lane);
      EXPECT_TRUE(holds(stream, i, expected_block(values[0].key, value.nonce, block)))
          << "lane " << i << " of runs that meet at " << lane;
    }
  }
}

#ifdef FERRULE_AVX2
TEST(InterleavedFewBlocks, P2_EachBlockHasItsKeyNonceAndCounter) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  Random random(5);
  for (int round = 0; round < 20; ++round) {
    const auto lanes = random_lanes(random);
    for (std::size_t count = 1; count <= kFewBlocks; ++count) {
      BlockStart starts[kFewBlocks];
      for (std::size_t i = 0; i < count; ++i) {
        starts[i] = {&lanes[i].key, lanes[i].nonce, lanes[i].block};
      }
      Keystream stream;
      make_few_blocks(std::span(starts).first(count), stream);
      for (unsigned i = 0; i < count; ++i) {
        EXPECT_TRUE(holds(stream, i, expected_block(lanes[i].key, lanes[i].nonce, lanes[i].block)))
            << "block " << i << " of " << count;
      }
    }
  }
}
#endif

// Neither disturbs the other, wherever the packets beside end.
TEST(InterleavedChacha, P2_PacketsBesideGetTheTagsOfTheModel) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  Random random(3);
  for (std::size_t size = 0; size < 700; size += 13) {
    std::vector<Buffer> texts;
    std::vector<AeadPacket> packets;
    for (std::size_t i = 0; i < 3; ++i) texts.push_back(test::random_bytes(random, size));
    for (Buffer& text : texts) packets.push_back({text.data(), text.size(), nullptr, 0});
    const Buffer key_block = test::random_bytes(random, 64);
    Authenticator beside = {};
    beside.start(packets);
    for (std::size_t i = 0; i < packets.size(); ++i) beside.add_key(key_block.data());
    beside.release({3, 0});

    const auto lanes = random_lanes(random);
    LaneInputs inputs = {};
    set_lanes(inputs, lanes);
    Keystream stream;
    make_keystream(inputs, stream, beside);
    for (unsigned i = 0; i < kLanes; ++i) {
      ASSERT_TRUE(holds(stream, i, expected_block(lanes[i].key, lanes[i].nonce, lanes[i].block)));
    }
    beside.catch_up({3, 0});
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const test::ModelTag expected = test::poly1305_tag(key_block, texts[i]);
      ASSERT_EQ(beside.tag(i).low, expected.low) << "packet " << i << " of " << size << " bytes";
      ASSERT_EQ(beside.tag(i).high, expected.high);
    }
  }
}

TEST(InterleavedLanes, KeysAreWiped) {
  FERRULE_SKIP_WITHOUT_MACHINE();
  struct Wipe {
    FERRULE_VECTOR static void run(LaneInputs& inputs) { inputs.wipe(); }
  };
  Random random(4);
  LaneInputs inputs = {};
  set_lanes(inputs, random_lanes(random));
  Wipe::run(inputs);
  std::uint32_t any = 0;
  for (std::size_t i = 0; i < kKeyWords; ++i) {
    for (const std::uint32_t word : inputs.key(i)) any |= word;
  }
  EXPECT_EQ(any, 0u);
}

}  // namespace
}  // namespace ferrule::crypto::interleaved
#endif
