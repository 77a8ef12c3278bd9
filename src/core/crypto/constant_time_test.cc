// That nothing branches on a secret or uses one as an address: in our code, and in what we call of
// libsodium and OpenSSL. Run as
//   valgrind ferrule_crypto_test --gtest_filter='ConstantTime*'
// Valgrind knows no AVX-512: it sees neither our code nor the libraries' that uses it. Ours is looked
// at in the *_secrecy_test.cc files. Our code for AVX2 is looked at here and there.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/classify_testing.h"
#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "crypto/handshake_aead.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"

namespace ferrule::crypto {
namespace {

// The branches that libraries and we take on a verdict, at most.
constexpr unsigned long kVerdict = 4;

class ConstantTimeOfCrypto : public test::ConstantTimeTest {
 protected:
  static Secret<32> secret() {
    Secret<32> key(std::array<std::uint8_t, 32>{1, 0xfe, 0x80, 9});
    test::classify(key.bytes());
    return key;
  }
};

TEST_F(ConstantTimeOfCrypto, P1_X25519) {
  const PublicKey peer{{9}};
  SharedSecret shared;
  const bool accepted = x25519(PrivateKey(secret()), peer, shared);
  test::declassify_value(accepted);
  EXPECT_TRUE(accepted);
}

TEST_F(ConstantTimeOfCrypto, P1_X25519Batch) {
  const PrivateKey key(secret());
  const PublicKey peer{{9}};
  SharedSecret shared;
  PublicKey own;
  X25519Job jobs[] = {X25519Job::dh(key, peer, shared), X25519Job::public_key(key, own)};
  x25519_batch(jobs);
}

TEST_F(ConstantTimeOfCrypto, P1_PublicKey) {
  const PublicKey key = public_key_of(PrivateKey(secret()));
  test::declassify(key.bytes);
  EXPECT_NE(key, PublicKey());
}

TEST_F(ConstantTimeOfCrypto, P1_Clamp) {
  PrivateKey key(secret());
  clamp(key);
}

TEST_F(ConstantTimeOfCrypto, P2_HandshakeAeadSeals) {
  std::array<std::uint8_t, 148 + kTagSize> sealed{};
  const Secret<32> key = secret();
  test::classify(sealed);
  aead_seal(key, 0, Bytes(sealed).first(148), {}, sealed);
}

TEST_F(ConstantTimeOfCrypto, P3_CookieAeadSeals) {
  std::array<std::uint8_t, 16 + kTagSize> sealed{};
  const Secret<32> key = secret();
  const std::array<std::uint8_t, kXNonceSize> nonce{};
  xaead_seal(key.bytes(), nonce, Bytes(sealed).first(16), {}, sealed);
}

TEST_F(ConstantTimeOfCrypto, P2_BackendsSeal) {
  const AeadKey key = secret();
  std::array<std::array<std::uint8_t, 1420 + kTagSize>, 16> buffers{};
  std::array<AeadPacket, 16> packets;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    test::classify(buffers[i]);
    packets[i] = {buffers[i].data(), 1420, &key, i};
  }
  for (const AeadBackend* backend : aead_backends()) backend->seal(packets);
}

// Whether a tag was right is public, and somebody branches on it. So opening may cost a few branches
// a message, which a message that is longer, or wrong at another place, may not add to.
TEST_F(ConstantTimeOfCrypto, P2_HandshakeAeadOpensAndTellsNoMoreThanTheVerdict) {
  const Secret<32> key = secret();
  const auto leaks_of = [&](std::size_t size, std::size_t wrong_at) {
    std::vector<std::uint8_t> sealed(size + kTagSize);
    aead_seal(key, 0, Bytes(sealed).first(size), {}, sealed);
    test::declassify(sealed);
    if (wrong_at < sealed.size()) sealed[wrong_at] ^= 1;
    std::vector<std::uint8_t> out(size);
    const unsigned long before = test::leaks();
    const bool opened = aead_open(key, 0, sealed, {}, out);
    const unsigned long verdict = test::leaks() - before;
    expect_leaks(verdict);
    test::declassify_value(opened);
    EXPECT_EQ(opened, wrong_at >= sealed.size());
    return verdict;
  };
  EXPECT_LE(leaks_of(32, SIZE_MAX), kVerdict);
  EXPECT_EQ(leaks_of(1024, SIZE_MAX), leaks_of(32, SIZE_MAX));
  EXPECT_EQ(leaks_of(1024, 1024), leaks_of(1024, 1024 + kTagSize - 1));
  EXPECT_EQ(leaks_of(1024, 0), leaks_of(1024, 1024 + kTagSize - 1));
}

TEST_F(ConstantTimeOfCrypto, P3_CookieAeadOpensAndTellsNoMoreThanTheVerdict) {
  const Secret<32> key = secret();
  const std::array<std::uint8_t, kXNonceSize> nonce{};
  std::array<std::uint8_t, 16 + kTagSize> sealed{};
  xaead_seal(key.bytes(), nonce, Bytes(sealed).first(16), {}, sealed);
  test::declassify(sealed);
  std::array<std::uint8_t, 16> out;
  const bool opened = xaead_open(key.bytes(), nonce, sealed, {}, out);
  allow_leaks(kVerdict);
  test::declassify_value(opened);
  EXPECT_TRUE(opened);
}

TEST_F(ConstantTimeOfCrypto, P2_BackendsOpenAndTellNoMoreThanTheVerdict) {
  const AeadKey key = secret();
  for (const AeadBackend* backend : aead_backends()) {
    const auto leaks_of = [&](std::size_t size, std::size_t wrong_at) {
      std::vector<std::uint8_t> sealed(size + kTagSize);
      const AeadPacket packet{sealed.data(), size, &key, 7};
      backend->seal({&packet, 1});
      test::declassify(sealed);
      if (wrong_at < sealed.size()) sealed[wrong_at] ^= 1;
      bool opened = false;
      const unsigned long before = test::leaks();
      backend->open({&packet, 1}, {&opened, 1});
      const unsigned long verdict = test::leaks() - before;
      expect_leaks(verdict);
      test::declassify_value(opened);
      EXPECT_EQ(opened, wrong_at >= sealed.size()) << backend->name();
      return verdict;
    };
    EXPECT_LE(leaks_of(64, SIZE_MAX), kVerdict) << backend->name();
    EXPECT_EQ(leaks_of(1420, SIZE_MAX), leaks_of(64, SIZE_MAX)) << backend->name();
    EXPECT_EQ(leaks_of(1420, 1420), leaks_of(1420, 1420 + kTagSize - 1)) << backend->name();
    EXPECT_EQ(leaks_of(1420, 0), leaks_of(1420, 1420 + kTagSize - 1)) << backend->name();
  }
}

TEST_F(ConstantTimeOfCrypto, P4_Mac) {
  const Secret<32> key = secret();
  const Mac digest = mac(key.bytes(), {secret().bytes(), secret().bytes(), secret().bytes()});
  test::declassify(digest);
  EXPECT_NE(digest, Mac());
}

TEST_F(ConstantTimeOfCrypto, P5_Kdf) {
  const Secret<32> key = secret();
  Secret<32> t1;
  Secret<32> t2;
  Secret<32> t3;
  kdf3(key.bytes(), secret().bytes(), t1, t2, t3);
}

}  // namespace
}  // namespace ferrule::crypto
