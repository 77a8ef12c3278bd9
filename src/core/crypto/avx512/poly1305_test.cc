#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/poly1305.h"

#include <gtest/gtest.h>

#include "crypto/avx512/skip_testing.h"
#include "crypto/batch/models_testing.h"

namespace ferrule::crypto::avx512 {
namespace {

using test::Buffer;
using test::Number;
using test::Random;

// The blocks of key stream that eight messages have their one-time keys from.
struct KeyBlocks {
  alignas(kVecSize) std::uint8_t block[kPolyLanes][64];

  static KeyBlocks random(Random& random) {
    KeyBlocks blocks;
    for (auto& block : blocks.block) {
      // Now and then the largest r and s there are.
      const bool largest = random() % 4 == 0;
      for (auto& byte : block) byte = largest ? 0xff : static_cast<std::uint8_t>(random());
    }
    return blocks;
  }
  [[nodiscard]] std::array<std::uint8_t, 16> clamped_r(std::size_t lane) const {
    std::array<std::uint8_t, 16> r;
    std::copy_n(block[lane], 16, r.begin());
    for (const std::size_t i : {3, 7, 11, 15}) r[i] &= 15;
    for (const std::size_t i : {4, 8, 12}) r[i] &= 252;
    return r;
  }
};

// Up to eight messages, each in a buffer of its own.
struct Messages {
  std::vector<Buffer> content;
  std::vector<PolyMessage> messages;

  void add(Buffer bytes) {
    content.push_back(std::move(bytes));
    messages.push_back({content.back().data(), content.back().size()});
  }
  static Messages random(Random& random, std::size_t count, std::size_t longest) {
    Messages messages;
    for (std::size_t i = 0; i < count; ++i) {
      Buffer bytes = test::random_bytes(random, random() % (longest + 1));
      if (random() % 4 == 0) std::ranges::fill(bytes, std::uint8_t{0xff});
      messages.add(std::move(bytes));
    }
    return messages;
  }
};

using Residues = std::array<std::array<std::uint64_t, 2>, kPolyLanes>;
using Evaluate = Element (*)(std::span<const PolyMessage>, const OneTimeKeys&) noexcept;

FERRULE_AVX512 Residues residues(Evaluate evaluate, const Messages& messages,
                                 const KeyBlocks& blocks) {
  OneTimeKeys keys;
  one_time_keys(blocks.block, keys);
  const Residue residue = freeze(evaluate(messages.messages, keys));
  std::uint64_t low[kPolyLanes];
  std::uint64_t high[kPolyLanes];
  store(low, residue.low);
  store(high, residue.high);
  Residues residues;
  for (std::size_t i = 0; i < kPolyLanes; ++i) residues[i] = {low[i], high[i]};
  return residues;
}
FERRULE_AVX512 Tags tags_of(const Messages& messages, const KeyBlocks& blocks) {
  OneTimeKeys keys;
  one_time_keys(blocks.block, keys);
  Tags tags;
  authenticate(messages.messages, keys, tags);
  return tags;
}

void expect_sums_of_the_model(Evaluate evaluate, const Messages& messages,
                              const KeyBlocks& blocks) {
  const Residues got = residues(evaluate, messages, blocks);
  for (std::size_t i = 0; i < messages.content.size(); ++i) {
    const auto expected = test::poly1305_sum(blocks.clamped_r(i), messages.content[i]).canonical();
    ASSERT_EQ(got[i][0], load_le64(expected.data()))
        << messages.content[i].size() << " bytes in lane " << i;
    ASSERT_EQ(got[i][1], load_le64(expected.data() + 8));
  }
}

class Avx512Poly1305 : public testing::TestWithParam<Evaluate> {
 protected:
  void SetUp() override { FERRULE_SKIP_WITHOUT_AVX512(); }
};

INSTANTIATE_TEST_SUITE_P(Ways, Avx512Poly1305,
                         testing::Values(&evaluate_side_by_side, &evaluate_each_alone),
                         [](const auto& test) {
                           return test.param == &evaluate_side_by_side ? "SideBySide" : "Alone";
                         });

TEST_P(Avx512Poly1305, P2_LoneMessageOfEveryLength) {
  Random random(1);
  const KeyBlocks blocks = KeyBlocks::random(random);
  for (std::size_t size = 0; size <= 600; ++size) {
    Messages messages;
    messages.add(test::random_bytes(random, size));
    expect_sums_of_the_model(GetParam(), messages, blocks);
  }
}

TEST_P(Avx512Poly1305, P2_MessagesOfOneLength) {
  Random random(2);
  for (std::size_t size = 0; size <= 300; size += 7) {
    Messages messages;
    for (std::size_t i = 0; i < kPolyLanes; ++i) messages.add(test::random_bytes(random, size));
    expect_sums_of_the_model(GetParam(), messages, KeyBlocks::random(random));
  }
}

TEST_P(Avx512Poly1305, P2_MessagesOfManyLengths) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const std::size_t count = 1 + random() % kPolyLanes;
    const std::size_t longest = round % 10 == 0 ? 2000 : 200;
    const Messages messages = Messages::random(random, count, longest);
    expect_sums_of_the_model(GetParam(), messages, KeyBlocks::random(random));
  }
}

TEST_P(Avx512Poly1305, P2_OneLongMessageAmongEmptyOnes) {
  Random random(4);
  Messages messages;
  for (int i = 0; i < 7; ++i) messages.add({});
  messages.add(test::random_bytes(random, 65535));
  expect_sums_of_the_model(GetParam(), messages, KeyBlocks::random(random));
}

TEST(Avx512Poly1305Tags, P2_TagIsTheSumPlusS) {
  FERRULE_SKIP_WITHOUT_AVX512();
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    const KeyBlocks blocks = KeyBlocks::random(random);
    const Messages messages = Messages::random(random, 1 + random() % kPolyLanes, 100);
    const Tags tags = tags_of(messages, blocks);
    for (std::size_t i = 0; i < messages.content.size(); ++i) {
      const auto sum = test::poly1305_sum(blocks.clamped_r(i), messages.content[i]).canonical();
      __extension__ using Wide = unsigned __int128;
      const auto wide = [](const std::uint8_t* bytes) {
        return load_le64(bytes) | static_cast<Wide>(load_le64(bytes + 8)) << 64;
      };
      const Wide tag = wide(sum.data()) + wide(blocks.block[i] + 16);
      ASSERT_EQ(tags.word[i][0], static_cast<std::uint64_t>(tag));
      ASSERT_EQ(tags.word[i][1], static_cast<std::uint64_t>(tag >> 64));
    }
  }
}

TEST(Avx512Poly1305Model, P2_GivesTheTagOfTheRfc) {
  // RFC 8439 §2.5.2, whose message is no ciphertext of an AEAD: block by block.
  const std::array<std::uint8_t, 16> r = {0x85, 0xd6, 0xbe, 0x08, 0x54, 0x55, 0x6d, 0x03,
                                          0x7c, 0x44, 0x52, 0x0e, 0x40, 0xd5, 0x06, 0x08};
  const std::string_view text = "Cryptographic Forum Research Group";
  Number h;
  for (std::size_t i = 0; i < text.size(); i += 16) {
    Buffer block(text.begin() + static_cast<int>(i),
                 text.begin() + static_cast<int>(std::min(i + 16, text.size())));
    block.push_back(1);
    h = (h + Number(block)) * Number(r);
  }
  // 28d31b7caff946c77c8844335369d03a7, before s is added.
  const std::array<std::uint8_t, 17> expected = {0xa7, 0x03, 0x9d, 0x36, 0x35, 0x43,
                                                 0x84, 0xc8, 0x77, 0x6c, 0x94, 0xff,
                                                 0xca, 0xb7, 0x31, 0x8d, 0x02};
  EXPECT_EQ(h.canonical(), expected);
}

}  // namespace
}  // namespace ferrule::crypto::avx512
#endif
