// Our own backends against a library's on random batches, and on pages with nothing beside them. What
// holds for every backend is in aead_test.cc. FERRULE_LONG_TESTS=1 makes a million batches.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "crypto/aead_backends.h"
#include "crypto/aead_backends_testing.h"
#include "crypto/guarded_pages_testing.h"

namespace ferrule::crypto {
namespace {

using Buffer = std::vector<std::uint8_t>;

class AeadVectors : public testing::TestWithParam<test::VectorBackend> {
 protected:
  void SetUp() override {
    if (backend_ == nullptr) GTEST_SKIP() << GetParam().reason_to_skip;
  }
  const AeadBackend* backend_ = GetParam().get();
};

INSTANTIATE_TEST_SUITE_P(Aead, AeadVectors, testing::ValuesIn(test::kVectorBackends),
                         test::name_of_backend);

int random_batches() {
  const char* wanted = std::getenv("FERRULE_LONG_TESTS");
  return wanted != nullptr && wanted[0] == '1' ? 1'000'000 : 3'000;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed), pool_(1 << 20) {
    for (auto& byte : pool_) byte = static_cast<std::uint8_t>(engine_());
  }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::uint64_t word() { return engine_(); }
  void fill(MutBytes bytes) {
    copy(Bytes(pool_).subspan(below(pool_.size() - bytes.size()), bytes.size()), bytes);
  }

 private:
  std::mt19937_64 engine_;
  Buffer pool_;  // drawing every byte would take longer than sealing it
};

std::vector<AeadKey> some_keys(Random& random, std::size_t count) {
  std::vector<AeadKey> keys(count);
  for (AeadKey& key : keys) random.fill(key.mut_bytes());
  return keys;
}

// A batch laid out in one buffer, with gaps that nobody may write to; and the same batch again, in
// another buffer.
class Twins {
 public:
  Twins(Random& random, const std::vector<AeadKey>& keys) {
    constexpr std::size_t kLongest[] = {20, 130, 300, 1500, 9100};
    const std::size_t longest = kLongest[random.below(std::size(kLongest))];
    const bool one_size = random.one_in(3);
    const std::uint64_t key_changes_one_in = random.one_in(2) ? UINT64_MAX : 1 + random.below(10);
    const std::size_t count = 1 + random.below(70);
    std::size_t size = random.below(longest + 1);
    const AeadKey* key = &keys[random.below(keys.size())];
    std::size_t end = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!one_size) size = random.below(longest + 1);
      if (random.one_in(key_changes_one_in)) key = &keys[random.below(keys.size())];
      offsets_.push_back(end + random.below(80));
      end = offsets_.back() + size + kTagSize;
      tested_.push_back({nullptr, size, key, random.word()});
    }
    plain_.resize(end + 80);
    random.fill(plain_);
    tested_buffer_ = expected_buffer_ = plain_;
    expected_ = tested_;
    for (std::size_t i = 0; i < count; ++i) {
      tested_[i].data = tested_buffer_.data() + offsets_[i];
      expected_[i].data = expected_buffer_.data() + offsets_[i];
    }
  }

  [[nodiscard]] const std::vector<AeadPacket>& tested() const { return tested_; }
  [[nodiscard]] const std::vector<AeadPacket>& expected() const { return expected_; }
  [[nodiscard]] bool are_equal() const { return tested_buffer_ == expected_buffer_; }
  [[nodiscard]] bool is_plaintext_again(std::size_t i) const {
    return std::equal(tested_[i].data, tested_[i].data + tested_[i].size,
                      plain_.begin() + static_cast<std::ptrdiff_t>(offsets_[i]));
  }
  void flip(std::size_t packet, std::size_t bit) {
    tested_[packet].data[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }

 private:
  std::vector<std::size_t> offsets_;
  std::vector<AeadPacket> tested_;
  std::vector<AeadPacket> expected_;
  Buffer plain_;
  Buffer tested_buffer_;
  Buffer expected_buffer_;
};

// Opens what was sealed; `flipped` is the packet that must be refused, or none.
void expect_opens_all_but(const AeadBackend& backend, const Twins& twins, std::size_t flipped) {
  const std::size_t count = twins.tested().size();
  const auto opened = std::make_unique<bool[]>(count);
  backend.open(twins.tested(), {opened.get(), count});
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(opened[i], i != flipped) << "packet " << i;
    ASSERT_TRUE(i == flipped || twins.is_plaintext_again(i)) << "packet " << i;
  }
}

TEST_P(AeadVectors, P2_RandomBatchesAgreeWithOpenssl) {
  Random random(20);
  const std::vector<AeadKey> keys = some_keys(random, 16);
  for (int round = 0; round < random_batches(); ++round) {
    SCOPED_TRACE(round);
    Twins twins(random, keys);
    backend_->seal(twins.tested());
    test::library_backend().seal(twins.expected());
    ASSERT_TRUE(twins.are_equal());
    const std::size_t victim = random.below(2 * twins.tested().size());
    if (victim < twins.tested().size()) {
      twins.flip(victim, random.below(8 * (twins.tested()[victim].size + kTagSize)));
    }
    ASSERT_NO_FATAL_FAILURE(expect_opens_all_but(*backend_, twins, victim));
  }
}

constexpr std::size_t kGuardedPackets = 17;  // a full group, and one alone

class AeadVectorsOnGuardedPages : public AeadVectors {
 protected:
  // Seals and opens packets of these sizes at the very start of their pages and at the very end.
  void expect_agrees(const std::vector<std::size_t>& sizes) {
    for (const bool at_end : {false, true}) {
      std::vector<AeadPacket> packets;
      std::vector<AeadPacket> twins;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const std::size_t whole = sizes[i] + kTagSize;
        std::uint8_t* data = at_end ? pages_[i].last(whole) : pages_[i].first(whole);
        random_.fill({data, whole});
        packets.push_back({data, sizes[i], &keys_[0], i});
        buffers_[i].assign(data, data + whole);
        twins.push_back({buffers_[i].data(), sizes[i], &keys_[0], i});
      }
      backend_->seal(packets);
      test::library_backend().seal(twins);
      bool opened[kGuardedPackets];
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        ASSERT_TRUE(std::equal(buffers_[i].begin(), buffers_[i].end(), packets[i].data))
            << sizes[i] << " bytes, at end: " << at_end;
      }
      backend_->open(packets, {opened, sizes.size()});
      for (std::size_t i = 0; i < sizes.size(); ++i) ASSERT_TRUE(opened[i]);
    }
  }

  Random random_{21};
  std::vector<AeadKey> keys_ = some_keys(random_, 1);
  test::GuardedPages pages_[kGuardedPackets];
  Buffer buffers_[kGuardedPackets];
};

INSTANTIATE_TEST_SUITE_P(Aead, AeadVectorsOnGuardedPages, testing::ValuesIn(test::kVectorBackends),
                         test::name_of_backend);

TEST_P(AeadVectorsOnGuardedPages, P2_LonePacketOfEveryLength) {
  for (std::size_t size = 0; size <= 2200; ++size) ASSERT_NO_FATAL_FAILURE(expect_agrees({size}));
}

TEST_P(AeadVectorsOnGuardedPages, P2_PacketsOfOneLength) {
  for (std::size_t size = 0; size <= 300; ++size) {
    for (const std::size_t count : {3, 8, 17}) {
      ASSERT_NO_FATAL_FAILURE(expect_agrees(std::vector<std::size_t>(count, size)));
    }
  }
}

TEST_P(AeadVectorsOnGuardedPages, P2_PacketsOfManyLengths) {
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::size_t> sizes(1 + random_.below(kGuardedPackets));
    const std::size_t longest = random_.one_in(50) ? 65535 : 1500;
    for (auto& size : sizes) size = random_.below(random_.one_in(2) ? 150 : longest + 1);
    ASSERT_NO_FATAL_FAILURE(expect_agrees(sizes));
  }
}

TEST_P(AeadVectorsOnGuardedPages, P2_LongestPackets) {
  ASSERT_NO_FATAL_FAILURE(expect_agrees({65535}));
  ASSERT_NO_FATAL_FAILURE(expect_agrees(std::vector<std::size_t>(9, 65535)));
}

}  // namespace
}  // namespace ferrule::crypto
