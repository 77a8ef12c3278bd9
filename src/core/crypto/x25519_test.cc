#include "crypto/x25519.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex_testing.h"
#include "crypto/random.h"

namespace ferrule::crypto {
namespace {

PublicKey public_key(std::string_view hex) {
  PublicKey key;
  copy(test::unhex(hex), key.bytes);
  return key;
}

PrivateKey private_key(std::string_view hex) {
  PrivateKey key;
  copy(test::unhex(hex), key.mut_bytes());
  return key;
}

// The shared secret as hex, or "refused".
std::string dh(const PrivateKey& key, const PublicKey& peer) {
  SharedSecret shared;
  return x25519(key, peer, shared) ? test::hex(shared.bytes()) : "refused";
}

// The u-coordinates of the points whose order divides 8, and those that reduce to them.
constexpr std::string_view kLowOrderPoints[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};

constexpr std::string_view kAlicePrivate =
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
constexpr std::string_view kAlicePublic =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
constexpr std::string_view kBobPrivate =
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
constexpr std::string_view kBobPublic =
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";

TEST(X25519, P1_Rfc7748FirstVector) {
  EXPECT_EQ(dh(private_key("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
               public_key("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
}

// Its u-coordinate has the highest bit set, which is to be ignored.
TEST(X25519, P1_Rfc7748SecondVector) {
  EXPECT_EQ(dh(private_key("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
               public_key("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, P1_Rfc7748IteratedVector) {
  std::string scalar = "0900000000000000000000000000000000000000000000000000000000000000";
  std::string point = scalar;
  for (int i = 1; i <= 1000; ++i) {
    std::string result = dh(private_key(scalar), public_key(point));
    point = std::move(scalar);
    scalar = std::move(result);
    if (i == 1) {
      EXPECT_EQ(scalar, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(scalar, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, P1_Rfc7748PublicKeys) {
  EXPECT_EQ(public_key_of(private_key(kAlicePrivate)), public_key(kAlicePublic));
  EXPECT_EQ(public_key_of(private_key(kBobPrivate)), public_key(kBobPublic));
}

TEST(X25519, P1_BothSidesDeriveTheSameSecret) {
  constexpr auto kShared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  EXPECT_EQ(dh(private_key(kAlicePrivate), public_key(kBobPublic)), kShared);
  EXPECT_EQ(dh(private_key(kBobPrivate), public_key(kAlicePublic)), kShared);
}

TEST(X25519, P1_AllZeroResultIsRefused) {
  for (const std::string_view text : kLowOrderPoints) {
    PublicKey point = public_key(text);
    EXPECT_EQ(dh(private_key(kAlicePrivate), point), "refused") << text;
    point.bytes[31] |= 0x80;  // the ignored bit hides no point
    EXPECT_EQ(dh(private_key(kAlicePrivate), point), "refused") << text;
  }
}

TEST(X25519, P1_RefusedResultIsZero) {
  for (const std::string_view text : kLowOrderPoints) {
    SharedSecret shared(std::array<std::uint8_t, 32>{1});
    EXPECT_FALSE(x25519(private_key(kAlicePrivate), public_key(text), shared));
    EXPECT_TRUE(shared.is_zero()) << text;
  }
}

TEST(X25519, P1_NeighboursOfLowOrderPointsAreNotRefused) {
  EXPECT_NE(dh(private_key(kAlicePrivate), public_key("02" + std::string(62, '0'))), "refused");
  EXPECT_NE(dh(private_key(kAlicePrivate), public_key("ef" + std::string(60, 'f') + "7f")),
            "refused");
}

TEST(X25519, P1_ClampSetsTheBitsOfRfc7748) {
  PrivateKey key = private_key(std::string(64, 'f'));
  clamp(key);
  EXPECT_EQ(test::hex(key.bytes()), "f8" + std::string(60, 'f') + "7f");
  key = private_key(std::string(64, '0'));
  clamp(key);
  EXPECT_EQ(test::hex(key.bytes()), std::string(62, '0') + "40");
}

TEST(X25519, P1_ClampingChangesNoResult) {
  PrivateKey clamped = private_key(kBobPrivate);
  clamp(clamped);
  EXPECT_EQ(public_key_of(clamped), public_key(kBobPublic));
  EXPECT_EQ(dh(clamped, public_key(kAlicePublic)),
            dh(private_key(kBobPrivate), public_key(kAlicePublic)));
}

TEST(X25519, GeneratedKeysAreClampedAndDiffer) {
  SystemRng rng;
  const auto first = generate_private_key(rng);
  const auto second = generate_private_key(rng);
  ASSERT_TRUE(first && second);
  PrivateKey clamped = first->clone();
  clamp(clamped);
  EXPECT_TRUE(constant_time_equal(clamped.bytes(), first->bytes()));
  EXPECT_FALSE(constant_time_equal(first->bytes(), second->bytes()));
}

TEST(X25519, P35_NoKeyIsGeneratedWithoutRandomness) {
  class FailingRng final : public Rng {
   public:
    bool fill(MutBytes) noexcept override { return false; }
  } rng;
  EXPECT_FALSE(generate_private_key(rng));
}

}  // namespace
}  // namespace ferrule::crypto
