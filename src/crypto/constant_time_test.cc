// That nothing branches on a secret or uses one as an address: in our code, and in what we call of
// libsodium and OpenSSL. Run as
//   valgrind ferrule_crypto_test --gtest_filter='ConstantTime*'
// Valgrind knows no AVX-512: it sees neither the backend nor the library code that uses it.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/classify_testing.h"
#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "crypto/handshake_aead.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"

namespace ferrule::crypto {
namespace {

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
