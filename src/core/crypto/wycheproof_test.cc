// Project Wycheproof's vectors, read from the folder that FERRULE_VECTORS names (see
// `./dev test --vectors DIR`).
//
// WireGuard's nonces start with 32 zero bits and its transport data has no associated data, so that
// few cases of chacha20_poly1305_test.json can be put to us. Those of XChaCha20-Poly1305 can: it is
// ChaCha20-Poly1305 with a derived key and a nonce that starts with 32 zero bits. So its cases serve
// twice, as cookies and, with the key derived here, as messages.
#include <gtest/gtest.h>
#include <sodium.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/hex_testing.h"
#include "crypto/aead.h"
#include "crypto/handshake_aead.h"
#include "crypto/x25519.h"

namespace ferrule::crypto {
namespace {

using test::hex;
using test::unhex;
using Buffer = std::vector<std::uint8_t>;

class Wycheproof : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("FERRULE_VECTORS") == nullptr) GTEST_SKIP() << "FERRULE_VECTORS is not set";
  }

  // Calls `run` with each case of the file.
  static void for_each(const std::string& file,
                       const std::function<void(const nlohmann::json&)>& run) {
    const std::string path = std::string(std::getenv("FERRULE_VECTORS")) + "/" + file;
    std::ifstream stream(path);
    if (!stream) GTEST_SKIP() << "no " << path;
    const auto document = nlohmann::json::parse(stream);
    std::size_t cases = 0;
    for (const auto& group : document["testGroups"]) {
      for (const auto& vector : group["tests"]) {
        SCOPED_TRACE(file + " case " + vector["tcId"].dump());
        run(vector);
        ++cases;
      }
    }
    EXPECT_EQ(cases, document["numberOfTests"].get<std::size_t>());
  }
};

Buffer bytes_of(const nlohmann::json& vector, const char* field) {
  return unhex(vector[field].get<std::string>());
}

// A case of an AEAD, with the nonce as a counter.
struct AeadCase {
  explicit AeadCase(const nlohmann::json& vector)
      : aad(bytes_of(vector, "aad")),
        message(bytes_of(vector, "msg")),
        sealed(bytes_of(vector, "ct")),
        valid(vector["result"].get<std::string>() == "valid") {
    const Buffer tag = bytes_of(vector, "tag");
    sealed.insert(sealed.end(), tag.begin(), tag.end());
  }

  AeadKey key;
  std::uint64_t counter = 0;
  Buffer aad;
  Buffer message;
  Buffer sealed;
  bool valid;
};

void check_handshake_aead(const AeadCase& c) {
  Buffer opened(c.message.size());
  EXPECT_EQ(aead_open(c.key, c.counter, c.sealed, c.aad, opened), c.valid);
  if (!c.valid) return;
  EXPECT_EQ(hex(opened), hex(c.message));
  Buffer sealed(c.sealed.size());
  aead_seal(c.key, c.counter, c.message, c.aad, sealed);
  EXPECT_EQ(hex(sealed), hex(c.sealed));
}

void check_backend(const AeadBackend& backend, const AeadCase& c) {
  SCOPED_TRACE(backend.name());
  Buffer buffer = c.sealed;
  const AeadPacket packet{buffer.data(), c.message.size(), &c.key, c.counter};
  bool opened = !c.valid;
  backend.open({&packet, 1}, {&opened, 1});
  EXPECT_EQ(opened, c.valid);
  if (!c.valid) return;
  EXPECT_EQ(hex(Bytes(buffer).first(c.message.size())), hex(c.message));
  backend.seal({&packet, 1});
  EXPECT_EQ(hex(buffer), hex(c.sealed));
}

// True when a backend could be asked: they know no associated data.
bool check_everywhere(const AeadCase& c) {
  check_handshake_aead(c);
  if (!c.aad.empty()) return false;
  for (const AeadBackend* backend : aead_backends()) check_backend(*backend, c);
  return true;
}

TEST_F(Wycheproof, P1_X25519) {
  std::size_t refused = 0;
  for_each("x25519_test.json", [&](const nlohmann::json& vector) {
    PrivateKey key;
    copy(bytes_of(vector, "private"), key.mut_bytes());
    PublicKey peer;
    copy(bytes_of(vector, "public"), peer.bytes);
    SharedSecret shared;
    const bool accepted = x25519(key, peer, shared);
    const auto expected = vector["shared"].get<std::string>();
    EXPECT_EQ(hex(shared.bytes()), expected);
    EXPECT_EQ(accepted, expected != std::string(64, '0'));
    refused += accepted ? 0 : 1;
  });
  EXPECT_TRUE(IsSkipped() || refused > 0);
}

// All cases as one batch: neighbours of each other, low order beside ordinary.
TEST_F(Wycheproof, P1_X25519InBatches) {
  std::vector<PrivateKey> keys;
  std::vector<PublicKey> peers;
  std::vector<std::string> expected;
  for_each("x25519_test.json", [&](const nlohmann::json& vector) {
    copy(bytes_of(vector, "private"), keys.emplace_back().mut_bytes());
    copy(bytes_of(vector, "public"), peers.emplace_back().bytes);
    expected.push_back(vector["shared"].get<std::string>());
  });
  std::vector<SharedSecret> shared(keys.size());
  std::vector<X25519Job> jobs;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    jobs.push_back(X25519Job::dh(keys[i], peers[i], shared[i]));
  }
  x25519_batch(jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(hex(shared[i].bytes()), expected[i]);
    EXPECT_EQ(jobs[i].accepted, expected[i] != std::string(64, '0'));
  }
}

TEST_F(Wycheproof, P2_ChaCha20Poly1305) {
  int asked = 0;
  for_each("chacha20_poly1305_test.json", [&](const nlohmann::json& vector) {
    const Buffer nonce = bytes_of(vector, "iv");
    if (nonce.size() != 12 || load_le32(nonce.data()) != 0) return;  // can't be expressed
    AeadCase c(vector);
    copy(bytes_of(vector, "key"), c.key.mut_bytes());
    c.counter = load_le64(nonce.data() + 4);
    check_everywhere(c);
    ++asked;
  });
  EXPECT_TRUE(IsSkipped() || asked > 0);
}

TEST_F(Wycheproof, P2_ChaCha20Poly1305WithKeysDerivedForXChaCha20) {
  int asked = 0;
  int asked_of_backends = 0;
  for_each("xchacha20_poly1305_test.json", [&](const nlohmann::json& vector) {
    const Buffer nonce = bytes_of(vector, "iv");
    if (nonce.size() != kXNonceSize) return;  // can't be expressed
    AeadCase c(vector);
    crypto_core_hchacha20(c.key.mut_bytes().data(), nonce.data(), bytes_of(vector, "key").data(),
                          nullptr);
    c.counter = load_le64(nonce.data() + 16);
    asked_of_backends += check_everywhere(c) ? 1 : 0;
    ++asked;
  });
  EXPECT_TRUE(IsSkipped() || (asked > 0 && asked_of_backends > 0));
}

TEST_F(Wycheproof, P3_XChaCha20Poly1305) {
  int asked = 0;
  for_each("xchacha20_poly1305_test.json", [&](const nlohmann::json& vector) {
    std::array<std::uint8_t, kXNonceSize> nonce;
    if (bytes_of(vector, "iv").size() != nonce.size()) return;  // can't be expressed
    copy(bytes_of(vector, "iv"), nonce);
    const AeadCase c(vector);
    Secret<32> key;
    copy(bytes_of(vector, "key"), key.mut_bytes());

    Buffer opened(c.message.size());
    EXPECT_EQ(xaead_open(key.bytes(), nonce, c.sealed, c.aad, opened), c.valid);
    ++asked;
    if (!c.valid) return;
    EXPECT_EQ(hex(opened), hex(c.message));
    Buffer sealed(c.sealed.size());
    xaead_seal(key.bytes(), nonce, c.message, c.aad, sealed);
    EXPECT_EQ(hex(sealed), hex(c.sealed));
  });
  EXPECT_TRUE(IsSkipped() || asked > 0);
}

}  // namespace
}  // namespace ferrule::crypto
