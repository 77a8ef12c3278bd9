#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include "crypto/interleaved/authenticator.h"

#include <gtest/gtest.h>

#include "crypto/batch/models_testing.h"
#include "crypto/interleaved/skip_testing.h"

namespace ferrule::crypto::interleaved {
namespace {

using test::Buffer;
using test::Random;

// A group of packets with one-time keys of their own.
class Texts {
 public:
  Texts(Random& random, std::span<const std::size_t> sizes) {
    for (const std::size_t size : sizes) {
      texts_.push_back(test::random_bytes(random, size));
      key_blocks_.push_back(test::random_bytes(random, 64));
    }
    for (Buffer& text : texts_) packets_.push_back({text.data(), text.size(), nullptr, 0});
  }
  [[nodiscard]] std::span<const AeadPacket> packets() const { return packets_; }
  [[nodiscard]] unsigned count() const { return static_cast<unsigned>(packets_.size()); }
  [[nodiscard]] const std::uint8_t* key_block(std::size_t i) const { return key_blocks_[i].data(); }
  void add_keys(Authenticator& authenticator) const {
    for (const Buffer& block : key_blocks_) authenticator.add_key(block.data());
  }
  void expect_tags(const Authenticator& authenticator) const {
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const test::ModelTag expected = test::poly1305_tag(key_blocks_[i], texts_[i]);
      ASSERT_EQ(authenticator.tag(i).low, expected.low) << i << ": " << texts_[i].size();
      ASSERT_EQ(authenticator.tag(i).high, expected.high);
    }
  }

 private:
  std::vector<Buffer> texts_;
  std::vector<Buffer> key_blocks_;
  std::vector<AeadPacket> packets_;
};

std::vector<std::size_t> random_sizes(Random& random) {
  std::vector<std::size_t> sizes(1 + random() % batch::kMaxGroup);
  for (auto& size : sizes) size = random() % (random() % 2 == 0 ? 40 : 500);
  return sizes;
}

class InterleavedAuthenticator : public testing::Test {
 protected:
  void SetUp() override { FERRULE_SKIP_WITHOUT_MACHINE(); }
  Random random_{1};
  Authenticator authenticator_ = {};
};

TEST_F(InterleavedAuthenticator, P2_EveryLengthHasTheTagOfTheModel) {
  for (std::size_t size = 0; size <= 200; ++size) {
    const Texts texts(random_, std::vector<std::size_t>{size});
    authenticator_.start(texts.packets());
    texts.add_keys(authenticator_);
    authenticator_.catch_up({1, 0});
    ASSERT_NO_FATAL_FAILURE(texts.expect_tags(authenticator_));
  }
}

// In whatever pieces packets are released and runs are taken, the tags are the same.
TEST_F(InterleavedAuthenticator, P2_PiecesMakeNoDifference) {
  for (int round = 0; round < 2000; ++round) {
    const auto sizes = random_sizes(random_);
    const Texts texts(random_, sizes);
    authenticator_.start(texts.packets());
    texts.add_keys(authenticator_);
    for (unsigned packet = 0; packet < texts.count(); ++packet) {
      for (std::size_t bytes = 0; bytes < sizes[packet]; bytes += 64 * (1 + random_() % 3)) {
        if (random_() % 3 == 0) continue;
        authenticator_.release({packet, bytes});
        const std::size_t wanted = 1 + random_() % 4;
        if (authenticator_.has_run(wanted)) authenticator_.run().add(wanted);
        if (random_() % 3 == 0) authenticator_.catch_up({packet, bytes});
      }
    }
    authenticator_.catch_up({texts.count(), 0});
    ASSERT_NO_FATAL_FAILURE(texts.expect_tags(authenticator_));
  }
}

TEST_F(InterleavedAuthenticator, HasNoRunOfWhatIsNotReleased) {
  const Texts texts(random_, std::vector<std::size_t>{160, 160});
  authenticator_.start(texts.packets());
  texts.add_keys(authenticator_);
  EXPECT_FALSE(authenticator_.has_run(1));
  authenticator_.release({0, 64});
  EXPECT_TRUE(authenticator_.has_run(3));  // the first block is where the sum begins
  EXPECT_FALSE(authenticator_.has_run(4));
  EXPECT_EQ(authenticator_.run().blocks, 3u);
}

TEST_F(InterleavedAuthenticator, HasNoRunOfAPacketWithoutAKey) {
  const Texts texts(random_, std::vector<std::size_t>{64, 64});
  authenticator_.start(texts.packets());
  authenticator_.release({2, 0});
  EXPECT_FALSE(authenticator_.has_run(1));
  authenticator_.add_key(texts.key_block(0));
  EXPECT_TRUE(authenticator_.has_run(3));
  EXPECT_FALSE(authenticator_.has_run(4));
  authenticator_.add_key(texts.key_block(1));
  EXPECT_TRUE(authenticator_.has_run(3));
  authenticator_.catch_up({2, 0});
  texts.expect_tags(authenticator_);
}

// Catching up to a place that is behind does nothing.
TEST_F(InterleavedAuthenticator, P2_NeverGoesBack) {
  const Texts texts(random_, std::vector<std::size_t>{640, 64});
  authenticator_.start(texts.packets());
  texts.add_keys(authenticator_);
  authenticator_.release({2, 0});
  ASSERT_TRUE(authenticator_.has_run(30));
  authenticator_.run().add(30);
  authenticator_.catch_up({0, 64});
  authenticator_.catch_up({0, 0});
  authenticator_.catch_up({2, 0});
  authenticator_.catch_up({1, 64});
  texts.expect_tags(authenticator_);
}

TEST_F(InterleavedAuthenticator, KeysSumsAndTagsAreWiped) {
  struct Wipe {
    FERRULE_VECTOR static void run(Authenticator& authenticator) { authenticator.wipe(); }
  };
  const Texts texts(random_, std::vector<std::size_t>(batch::kMaxGroup, 100));
  authenticator_.start(texts.packets());
  texts.add_keys(authenticator_);
  authenticator_.catch_up({texts.count(), 0});
  ASSERT_NE(authenticator_.tag(15).low | authenticator_.tag(15).high, 0u);
  // A smaller group does not make it forget what the larger one has left.
  authenticator_.start(texts.packets().first(1));
  Wipe::run(authenticator_);
  for (std::size_t i = 0; i < texts.count(); ++i) {
    EXPECT_EQ(authenticator_.tag(i).low | authenticator_.tag(i).high, 0u);
  }
  const PolySum& sum = authenticator_.run().sum;
  const Multiplier& r = authenticator_.run().r;
  EXPECT_EQ(sum.low | sum.high | sum.top | r.r0 | r.r1 | r.wrapped_r1, 0u);
}

}  // namespace
}  // namespace ferrule::crypto::interleaved
#endif
