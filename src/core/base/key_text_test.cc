#include "base/key_text.h"

#include <gtest/gtest.h>

#include <random>

#include "base/hex_testing.h"

namespace ferrule {
namespace {

constexpr PublicKey kCounting = [] {
  PublicKey key;
  for (std::size_t i = 0; i < kKeySize; ++i) key.bytes[i] = static_cast<std::uint8_t>(i);
  return key;
}();
// base64 and hex of it by coreutils.
constexpr std::string_view kCountingBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr std::string_view kCountingHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

PublicKey random_key(std::mt19937_64& random) {
  PublicKey key;
  for (auto& byte : key.bytes) byte = static_cast<std::uint8_t>(random());
  return key;
}

TEST(KeyText, P101a_HexIsWrittenInLowerCase) { EXPECT_EQ(to_hex(kCounting), kCountingHex); }

TEST(KeyText, Base64IsWrittenWithItsPadding) { EXPECT_EQ(to_base64(kCounting), kCountingBase64); }

TEST(KeyText, Base64HasAllSixtyFourDigits) {
  // 48 bytes that spell the alphabet, in two keys.
  PublicKey first;
  PublicKey second;
  const auto alphabet = test::unhex(
      "00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39ebbf3"
      "dfbf");
  std::copy_n(alphabet.begin(), 32, first.bytes.begin());
  std::copy_n(alphabet.begin() + 24, 24, second.bytes.begin());
  EXPECT_EQ(to_base64(first).substr(0, 40), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn");
  EXPECT_EQ(to_base64(second).substr(0, 32), "ghijklmnopqrstuvwxyz0123456789+/");
  EXPECT_EQ(public_key_from_base64(to_base64(first)), first);
  EXPECT_EQ(public_key_from_base64(to_base64(second)), second);
}

TEST(KeyText, HexIsReadInEitherCase) {
  EXPECT_EQ(public_key_from_hex(kCountingHex), kCounting);
  EXPECT_EQ(public_key_from_hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1b1C1d1E1f"),
            kCounting);
}

TEST(KeyText, Base64IsRead) { EXPECT_EQ(public_key_from_base64(kCountingBase64), kCounting); }

TEST(KeyText, EveryKeySurvivesTheRoundTrip) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const PublicKey key = random_key(random);
    EXPECT_EQ(public_key_from_hex(to_hex(key)), key);
    EXPECT_EQ(public_key_from_base64(to_base64(key)), key);
  }
}

TEST(KeyText, P102_HexAcceptsItsDigitsAndNoOtherByte) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t position : {0u, 1u, 62u, 63u}) {
      std::string text(kCountingHex);
      text[position] = static_cast<char>(byte);
      const bool is_digit = std::string_view("0123456789abcdefABCDEF").contains(text[position]);
      EXPECT_EQ(public_key_from_hex(text).has_value(), is_digit) << byte << " at " << position;
    }
  }
}

TEST(KeyText, Base64AcceptsItsDigitsAndNoOtherByte) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t position : {0u, 1u, 2u, 41u}) {
      std::string text(kCountingBase64);
      text[position] = static_cast<char>(byte);
      EXPECT_EQ(public_key_from_base64(text).has_value(), kDigits.contains(text[position]))
          << byte << " at " << position;
    }
  }
}

TEST(KeyText, Base64RefusesBitsBeyondTheKey) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t digit = 0; digit < kDigits.size(); ++digit) {
    std::string text(kCountingBase64);
    text[42] = kDigits[digit];
    EXPECT_EQ(public_key_from_base64(text).has_value(), digit % 4 == 0) << text;
  }
}

TEST(KeyText, P102_WrongLengthsAreRefused) {
  const std::string digits(100, 'A');
  for (std::size_t size = 0; size <= digits.size(); ++size) {
    const std::string text = digits.substr(0, size);
    EXPECT_EQ(public_key_from_hex(text).has_value(), size == 64) << size;
    EXPECT_EQ(public_key_from_base64(text + '=').has_value(), size == 43) << size;
    EXPECT_FALSE(public_key_from_base64(text).has_value()) << size;
  }
}

TEST(KeyText, Base64PaddingIsOneSignAtTheEnd) {
  std::string text(kCountingBase64);
  text[42] = '=';
  EXPECT_FALSE(public_key_from_base64(text).has_value());
  text = kCountingBase64;
  text[43] = 'A';
  EXPECT_FALSE(public_key_from_base64(text).has_value());
  EXPECT_FALSE(public_key_from_base64(std::string(kCountingBase64) + '\n').has_value());
}

TEST(KeyText, P46_RefusedKeyLeavesNothingBehind) {
  std::array<std::uint8_t, kKeySize> key;
  key.fill(1);
  std::string text(kCountingHex);
  text[63] = 'g';
  EXPECT_FALSE(key_from_hex(text, key));
  EXPECT_TRUE(constant_time_is_zero(key));
  key.fill(1);
  text = kCountingBase64;
  text[42] = '9';
  EXPECT_FALSE(key_from_base64(text, key));
  EXPECT_TRUE(constant_time_is_zero(key));
}

TEST(KeyText, SecretsAreReadLikePublicKeys) {
  const auto from_hex = secret_from_hex(kCountingHex);
  const auto from_base64 = secret_from_base64(kCountingBase64);
  ASSERT_TRUE(from_hex && from_base64);
  EXPECT_TRUE(constant_time_equal(from_hex->bytes(), kCounting.bytes));
  EXPECT_TRUE(constant_time_equal(from_base64->bytes(), kCounting.bytes));
  EXPECT_FALSE(secret_from_hex(kCountingBase64));
  EXPECT_FALSE(secret_from_base64(kCountingHex));
}

}  // namespace
}  // namespace ferrule
