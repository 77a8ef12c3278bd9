#include "crypto/kdf.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/hex_testing.h"

namespace ferrule::crypto {
namespace {

using test::hex;

std::vector<std::uint8_t> counting(std::size_t size, std::size_t first = 0) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

std::string hmac_hex(Bytes key, Bytes input) {
  std::array<std::uint8_t, 32> out{};
  hmac(key, input, out);
  return hex(out);
}

// Expected values are by Python's hmac over hashlib's blake2s, and agree with the HKDF of
// pyca/cryptography. Its "info" is empty.
struct KdfCase {
  std::vector<std::uint8_t> input;
  const char* t1;
  const char* t2;
  const char* t3;
};
const KdfCase kCases[] = {
    {counting(50, 100), "37f059bb1da97ac4fb74043c3d7befe83a688ccf1ebf27573464a15d6e92992b",
     "7dd7d13ee0d023e5756c27b2a1aee871341654294d978e59395b001bd4ec7f02",
     "eb43cedd3f5c1328e539dbb39c46fef7cec02d6bce7389862d2af76dae53b463"},
    {{},
     "7a38c34bf2b8738d7374ca77c44ecb309a11d2b2528304fa86052c365e722624",
     "1a17621f346abdc520746a9fb64d8eb03231d674fc15687537b0780fd9c060fd",
     "4eaf02809ac4b930ef63479de62275f1c55656e61f78a3cc653c18a2223d6c5f"},
    {counting(32, 32), "6a96444e20e8d4c1cee974416acae1c10b3c92886010e54ed94dafb2c3b80ea0",
     "57af120b0de7acbe7907ec149c5ae870a2dbb74232b65777ba4123f1f7f888f5",
     "0926c7caabb6e8d73beda759e6f4f0d324ce5b5000bcf8cd784b26db3049faa9"}};

TEST(Hmac, P4_UsesABlockOf64Bytes) {
  EXPECT_EQ(hmac_hex(counting(32), counting(50, 100)),
            "9c5832c1a2a8c26e4aea5d9c3f5f74b60ecb066bc895ee9955181d4daae3c88b");
}

TEST(Hmac, P4_TakesAnEmptyKeyAndAnEmptyInput) {
  EXPECT_EQ(hmac_hex({}, {}), "eaf4bb25938f4d20e72656bbbc7a9bf63c0c18537333c35bdb67db1402661acd");
}

TEST(Hmac, P4_TakesInputOfSeveralBlocks) {
  EXPECT_EQ(hmac_hex(counting(32), counting(200)),
            "543eec9b22646365ef782d72dae137cc761d018005f8d33d0f20bfbd01e62974");
}

TEST(Hmac, P4_KeyOfOneBlockIsUsedAsItIs) {
  EXPECT_EQ(hmac_hex(counting(64), std::array<std::uint8_t, 3>{'a', 'b', 'c'}),
            "3a0ef09eac123871fb79852ec512086d013abff437bd68ca03630932bd6ba81f");
}

TEST(Hmac, P4_LongerKeyIsHashedFirst) {
  EXPECT_EQ(hmac_hex(counting(65), std::array<std::uint8_t, 3>{'a', 'b', 'c'}),
            "44d87b3939dec16bc76cbd83e3982ac0a4eafab8a5b87c8c2adbd0da7d5c9695");
}

TEST(Hmac, OutputMayBeTheKeyOrTheInput) {
  std::array<std::uint8_t, 32> key{1};
  std::array<std::uint8_t, 32> input{2};
  const std::string expected = hmac_hex(key, input);
  auto buffer = key;
  hmac(buffer, input, buffer);
  EXPECT_EQ(hex(buffer), expected);
  buffer = input;
  hmac(key, buffer, buffer);
  EXPECT_EQ(hex(buffer), expected);
}

TEST(Kdf, P5_Kdf1GivesTheFirstOutput) {
  for (const KdfCase& c : kCases) {
    ChainingKey t1;
    kdf1(counting(32), c.input, t1);
    EXPECT_EQ(hex(t1.bytes()), c.t1);
  }
}

TEST(Kdf, P5_Kdf2ChainsTheSecondOutput) {
  for (const KdfCase& c : kCases) {
    Secret<32> t1;
    Secret<32> t2;
    kdf2(counting(32), c.input, t1, t2);
    EXPECT_EQ(hex(t1.bytes()), c.t1);
    EXPECT_EQ(hex(t2.bytes()), c.t2);
  }
}

TEST(Kdf, P5_Kdf3ChainsTheThirdOutput) {
  for (const KdfCase& c : kCases) {
    Secret<32> t1;
    Secret<32> t2;
    Secret<32> t3;
    kdf3(counting(32), c.input, t1, t2, t3);
    EXPECT_EQ(hex(t1.bytes()), c.t1);
    EXPECT_EQ(hex(t2.bytes()), c.t2);
    EXPECT_EQ(hex(t3.bytes()), c.t3);
  }
}

TEST(Kdf, P5_OutputMayReplaceTheKey) {
  for (const KdfCase& c : kCases) {
    ChainingKey key;
    copy(counting(32), key.mut_bytes());
    Secret<32> t2;
    Secret<32> t3;
    kdf3(key.bytes(), c.input, key, t2, t3);
    EXPECT_EQ(hex(key.bytes()), c.t1);
    EXPECT_EQ(hex(t3.bytes()), c.t3);
  }
}

}  // namespace
}  // namespace ferrule::crypto
