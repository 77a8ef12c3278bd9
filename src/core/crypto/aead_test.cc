// Every backend is held to the RFC, to libsodium and to refusing what was changed.
#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/hex_testing.h"
#include "crypto/handshake_aead.h"
#include "crypto/poly1305_edges_testing.h"

namespace ferrule::crypto {
namespace {

using test::hex;
using test::unhex;
using Buffer = std::vector<std::uint8_t>;

constexpr std::size_t kGuardSize = 64;
constexpr std::uint8_t kGuard = 0xa5;

AeadKey key_counting_from(std::uint8_t first) {
  AeadKey key;
  for (std::size_t i = 0; i < 32; ++i) {
    key.mut_bytes()[i] = static_cast<std::uint8_t>(first + i);
  }
  return key;
}

// What libsodium makes of a plaintext: ciphertext and tag.
Buffer sealed_by_libsodium(const AeadKey& key, std::uint64_t counter, Bytes plaintext) {
  Buffer out(plaintext.size() + kTagSize);
  aead_seal(key, counter, plaintext, {}, out);
  return out;
}

// Packets with buffers of their own, at any alignment and with guards on both sides. Keys are not
// owned.
class Batch {
 public:
  // `content` is the text, or the text and its tag.
  void add(const AeadKey& key, std::uint64_t counter, Bytes content, std::size_t text_size) {
    const std::size_t offset = kGuardSize + buffers_.size() % 64;
    Buffer& buffer = buffers_.emplace_back(offset + text_size + kTagSize + kGuardSize, kGuard);
    std::copy(content.begin(), content.end(), buffer.begin() + static_cast<int>(offset));
    packets_.push_back({buffer.data() + offset, text_size, &key, counter});
  }
  void add_plaintext(const AeadKey& key, std::uint64_t counter, Bytes plaintext) {
    add(key, counter, plaintext, plaintext.size());
  }
  void add_sealed(const AeadKey& key, std::uint64_t counter, Bytes sealed) {
    add(key, counter, sealed, sealed.size() - kTagSize);
  }

  void seal(const AeadBackend& backend) const { backend.seal(packets_); }
  // One character a packet: '+' opened, '-' refused.
  [[nodiscard]] std::string open(const AeadBackend& backend) const {
    // Both values beforehand, so that one that is not written shows.
    const auto opened = std::make_unique<bool[]>(packets_.size());
    for (std::size_t i = 0; i < packets_.size(); ++i) opened[i] = i % 2 != 0;
    backend.open(packets_, {opened.get(), packets_.size()});
    std::string verdicts;
    for (std::size_t i = 0; i < packets_.size(); ++i) verdicts += opened[i] ? '+' : '-';
    return verdicts;
  }

  [[nodiscard]] Bytes text(std::size_t i) const { return {packets_[i].data, packets_[i].size}; }
  [[nodiscard]] Bytes sealed(std::size_t i) const {
    return {packets_[i].data, packets_[i].size + kTagSize};
  }
  [[nodiscard]] std::size_t size() const { return packets_.size(); }
  [[nodiscard]] bool guards_are_intact() const {
    const auto intact = [](std::uint8_t byte) { return byte == kGuard; };
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      const std::uint8_t* end = packets_[i].data + packets_[i].size + kTagSize;
      if (!std::all_of(buffers_[i].data(), static_cast<const std::uint8_t*>(packets_[i].data),
                       intact) ||
          !std::all_of(end, buffers_[i].data() + buffers_[i].size(), intact)) {
        return false;
      }
    }
    return true;
  }

 private:
  std::vector<Buffer> buffers_;
  std::vector<AeadPacket> packets_;
};

bool equal(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  std::uint64_t word() { return engine_(); }
  Buffer bytes(std::size_t size) {
    Buffer buffer(size);
    for (auto& byte : buffer) byte = static_cast<std::uint8_t>(engine_());
    return buffer;
  }
  // Small ones, those about 2^32, and any.
  std::uint64_t counter() {
    switch (below(4)) {
      case 0:
        return below(1000);
      case 1:
        return (1ULL << 32) - 8 + below(16);
      case 2:
        return UINT64_MAX - below(16);
      default:
        return word();
    }
  }
  // Mostly those of packets: short, near an MTU, and up to a jumbo frame.
  std::size_t size() {
    switch (below(4)) {
      case 0:
        return below(130);
      case 1:
        return 1400 + below(40);
      case 2:
        return below(1100);
      default:
        return below(9101);
    }
  }

 private:
  std::mt19937_64 engine_;
};

class AeadBackends : public testing::TestWithParam<const AeadBackend*> {
 protected:
  [[nodiscard]] const AeadBackend& backend() const { return *GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Aead, AeadBackends,
                         testing::ValuesIn(aead_backends().begin(), aead_backends().end()),
                         [](const auto& test) { return std::string(test.param->name()); });

TEST_P(AeadBackends, P2_Rfc8439KeyStreamOfTheZeroKey) {
  const AeadKey key;
  Batch batch;
  batch.add_plaintext(key, 0, Buffer(64));
  batch.seal(backend());
  // RFC 8439 §A.1, vector 2: block 1. Block 0 is the one-time key.
  EXPECT_EQ(hex(batch.text(0)),
            "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
            "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
  // By pyca/cryptography.
  EXPECT_EQ(hex(batch.sealed(0)).substr(128), "75c5180ef52d6921037a3d0af9f0dac8");
}

TEST_P(AeadBackends, P2_EmptyPlaintextGivesATag) {
  const AeadKey key;
  Batch batch;
  batch.add_plaintext(key, 0, {});
  batch.seal(backend());
  EXPECT_EQ(hex(batch.sealed(0)), "4eb972c9a8fb3a1b382bb4d36f5ffad1");  // by pyca/cryptography
  EXPECT_EQ(batch.open(backend()), "+");
  EXPECT_TRUE(batch.guards_are_intact());
}

TEST_P(AeadBackends, P2_CounterIsLittleEndianBehind32ZeroBits) {
  const AeadKey key = key_counting_from(0x80);
  constexpr std::string_view kText =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
      "future, sunscreen would be it.";
  Batch batch;
  batch.add_plaintext(key, 0x0102030405060708, Buffer(kText.begin(), kText.end()));
  batch.seal(backend());
  // By pyca/cryptography with the nonce 00000000 0807060504030201.
  EXPECT_EQ(hex(batch.sealed(0)),
            "b8d08ad235a97bbc4dd551cc6b1911b3961e31851245f58e7f581dbe0627e811f7465bd39dd94d5546bf"
            "48ac1a2dd43cbda6f795d215ec93abb888192adfa41a10ee4bb956f2bbbe7294b33f513dbeeba962d9c2"
            "f8cc18c88a9171bebc9ffb116a4383f49408e055ad9ca5fa75dccb65b94fd5d23d697079b0de81ed4b78"
            "17a92427");
}

TEST_P(AeadBackends, P2_EveryLengthAgreesWithLibsodium) {
  const AeadKey key = key_counting_from(1);
  Random random(1);
  for (std::size_t size = 0; size <= 1100; ++size) {
    const Buffer plaintext = random.bytes(size);
    Batch batch;
    batch.add_plaintext(key, size, plaintext);
    batch.seal(backend());
    ASSERT_TRUE(equal(batch.sealed(0), sealed_by_libsodium(key, size, plaintext))) << size;
    ASSERT_EQ(batch.open(backend()), "+") << size;
    ASSERT_TRUE(equal(batch.text(0), plaintext)) << size;
    ASSERT_TRUE(batch.guards_are_intact()) << size;
  }
}

TEST_P(AeadBackends, P2_EveryBatchSizeAgreesWithLibsodium) {
  const AeadKey key = key_counting_from(1);
  Random random(2);
  for (std::size_t count = 0; count <= 70; ++count) {
    Batch batch;
    std::vector<Buffer> plaintexts;
    for (std::size_t i = 0; i < count; ++i) {
      plaintexts.push_back(random.bytes(i + 1 == count ? 100 : 333));
      batch.add_plaintext(key, i, plaintexts[i]);
    }
    batch.seal(backend());
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(equal(batch.sealed(i), sealed_by_libsodium(key, i, plaintexts[i])))
          << i << " of " << count;
    }
    ASSERT_EQ(batch.open(backend()), std::string(count, '+'));
    ASSERT_TRUE(batch.guards_are_intact()) << count;
  }
}

// Counters on both sides of 2^32, 2^64; keys in runs and in turns; lengths from 0 to 9100.
TEST_P(AeadBackends, P2_RandomBatchesAgreeWithLibsodium) {
  Random random(3);
  std::vector<AeadKey> keys;
  for (std::uint8_t i = 0; i < 5; ++i)
    keys.push_back(key_counting_from(static_cast<std::uint8_t>(50 * i)));
  for (int round = 0; round < 150; ++round) {
    Batch batch;
    std::vector<Buffer> plaintexts;
    std::vector<Buffer> expected;
    const std::size_t count = random.below(66);
    const std::uint64_t key_changes_one_in = 1 + random.below(20);
    const AeadKey* key = &keys[0];
    for (std::size_t i = 0; i < count; ++i) {
      if (random.below(key_changes_one_in) == 0) key = &keys[random.below(keys.size())];
      const std::uint64_t counter = random.counter();
      plaintexts.push_back(random.bytes(random.size()));
      expected.push_back(sealed_by_libsodium(*key, counter, plaintexts[i]));
      batch.add_plaintext(*key, counter, plaintexts[i]);
    }
    batch.seal(backend());
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(equal(batch.sealed(i), expected[i])) << "round " << round << ", packet " << i;
    }
    ASSERT_EQ(batch.open(backend()), std::string(count, '+')) << "round " << round;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(equal(batch.text(i), plaintexts[i])) << "round " << round << ", packet " << i;
    }
    ASSERT_TRUE(batch.guards_are_intact()) << "round " << round;
  }
}

TEST_P(AeadBackends, P2_LongestPacketAgreesWithLibsodium) {
  const AeadKey key = key_counting_from(1);
  const Buffer plaintext = Random(4).bytes(65535);
  Batch batch;
  for (std::uint64_t i = 0; i < 3; ++i) batch.add_plaintext(key, i, plaintext);
  batch.seal(backend());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(equal(batch.sealed(i), sealed_by_libsodium(key, i, plaintext))) << i;
  }
}

TEST_P(AeadBackends, P2_EdgesOfPoly1305AgreeWithLibsodium) {
  const AeadKey key = key_counting_from(0);
  Batch batch;
  for (const test::Poly1305Edge& edge : test::kPoly1305Edges) {
    Buffer ciphertext(edge.size, 0xff);
    store_le64(ciphertext.data() + edge.size - 16, edge.low);
    store_le64(ciphertext.data() + edge.size - 8, edge.high);
    // The cipher is its own inverse: sealing a ciphertext gives the plaintext that seals to it.
    Buffer plaintext = sealed_by_libsodium(key, edge.counter, ciphertext);
    plaintext.resize(edge.size);
    const Buffer sealed = sealed_by_libsodium(key, edge.counter, plaintext);
    ASSERT_TRUE(equal(Bytes(sealed).first(edge.size), ciphertext));
    batch.add_sealed(key, edge.counter, sealed);

    Batch alone;
    alone.add_plaintext(key, edge.counter, plaintext);
    alone.seal(backend());
    EXPECT_TRUE(equal(alone.sealed(0), sealed)) << edge.sum << " in " << edge.size << " bytes";
  }
  EXPECT_EQ(batch.open(backend()), std::string(batch.size(), '+'));
}

// In each batch one packet has one changed byte; it alone is refused.
TEST_P(AeadBackends, P2_EveryChangedByteIsRefused) {
  const AeadKey key = key_counting_from(1);
  Random random(5);
  for (const std::size_t size : {0, 1, 15, 16, 17, 64, 200, 1420}) {
    const Buffer plaintext = random.bytes(size);
    const Buffer sealed = sealed_by_libsodium(key, 7, plaintext);
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      const std::size_t count = 1 + random.below(20);
      const std::size_t victim = random.below(count);
      Buffer changed = sealed;
      changed[at] ^= static_cast<std::uint8_t>(1u << random.below(8));
      Batch batch;
      for (std::size_t i = 0; i < count; ++i)
        batch.add_sealed(key, 7, i == victim ? changed : sealed);
      std::string expected(count, '+');
      expected[victim] = '-';
      ASSERT_EQ(batch.open(backend()), expected) << "byte " << at << " of " << size;
      for (std::size_t i = 0; i < count; ++i) {
        if (i == victim) continue;
        ASSERT_TRUE(equal(batch.text(i), plaintext));
      }
    }
  }
}

TEST_P(AeadBackends, P2_EveryFlippedBitOfTheTagIsRefused) {
  const AeadKey key = key_counting_from(1);
  const Buffer sealed = sealed_by_libsodium(key, 7, Buffer(100));
  Batch batch;
  for (std::size_t bit = 0; bit < 8 * kTagSize; ++bit) {
    Buffer changed = sealed;
    changed[100 + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    batch.add_sealed(key, 7, changed);
  }
  EXPECT_EQ(batch.open(backend()), std::string(8 * kTagSize, '-'));
}

TEST_P(AeadBackends, P2_EveryBitOfTheCounterCounts) {
  const AeadKey key = key_counting_from(1);
  const Buffer sealed = sealed_by_libsodium(key, 0, Buffer(100));
  Batch batch;
  for (int bit = 0; bit < 64; ++bit) batch.add_sealed(key, 1ULL << bit, sealed);
  EXPECT_EQ(batch.open(backend()), std::string(64, '-'));
}

TEST_P(AeadBackends, P2_OtherKeyIsRefused) {
  const AeadKey key = key_counting_from(1);
  const AeadKey other = key_counting_from(2);
  const Buffer sealed = sealed_by_libsodium(key, 0, Buffer(100));
  Batch batch;
  batch.add_sealed(other, 0, sealed);
  batch.add_sealed(key, 0, sealed);
  batch.add_sealed(other, 0, sealed);
  EXPECT_EQ(batch.open(backend()), "-+-");
}

// Keys are freed and allocated: between batches an address says nothing about what lies there.
TEST_P(AeadBackends, P2_KeyAtTheAddressOfAnotherIsItself) {
  AeadKey key = key_counting_from(1);
  Batch first;
  first.add_plaintext(key, 0, Buffer(100));
  first.seal(backend());
  key = key_counting_from(2);
  Batch second;
  second.add_plaintext(key, 0, Buffer(100));
  second.seal(backend());
  EXPECT_TRUE(equal(second.sealed(0), sealed_by_libsodium(key, 0, Buffer(100))));
  EXPECT_EQ(second.open(backend()), "+");
}

TEST_P(AeadBackends, ThreadsDoNotDisturbEachOther) {
  const auto work = [this](std::uint8_t seed, bool& good) {
    const AeadKey key = key_counting_from(seed);
    Random random(seed);
    for (int round = 0; round < 50; ++round) {
      const Buffer plaintext = random.bytes(random.size());
      const Buffer expected = sealed_by_libsodium(key, 3, plaintext);
      Batch batch;
      for (int i = 0; i < 8; ++i) batch.add_plaintext(key, 3, plaintext);
      batch.seal(backend());
      for (std::size_t i = 0; i < 8; ++i) good = good && equal(batch.sealed(i), expected);
      good = good && batch.open(backend()) == "++++++++";
    }
  };
  std::array<bool, 3> good{true, true, true};
  std::vector<std::thread> threads;
  for (std::uint8_t i = 0; i < 3; ++i) threads.emplace_back(work, i, std::ref(good[i]));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, (std::array<bool, 3>{true, true, true}));
}

TEST(AeadFacade, FindsEachBackendByItsName) {
  for (const AeadBackend* backend : aead_backends()) {
    EXPECT_EQ(find_aead_backend(backend->name()), backend);
  }
}

TEST(AeadFacade, KnowsNoOtherName) {
  EXPECT_EQ(find_aead_backend(""), nullptr);
  EXPECT_EQ(find_aead_backend("opensslx"), nullptr);
}

TEST(AeadFacade, RunsLibsodiumOnEveryCpu) { EXPECT_EQ(aead_backends().back()->name(), "sodium"); }

TEST(AeadFacade, BestIsTheFirst) { EXPECT_EQ(&best_aead_backend(), aead_backends().front()); }

}  // namespace
}  // namespace ferrule::crypto
