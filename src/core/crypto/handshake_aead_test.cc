#include "crypto/handshake_aead.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/hex_testing.h"
#include "crypto/aead.h"

namespace ferrule::crypto {
namespace {

using test::hex;
using test::unhex;
using Buffer = std::vector<std::uint8_t>;

constexpr std::string_view kSunscreen =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";

Buffer text_bytes(std::string_view text) { return {text.begin(), text.end()}; }

Secret<32> key_of(std::string_view text) {
  Secret<32> key;
  copy(unhex(text), key.mut_bytes());
  return key;
}

Buffer seal(const Secret<32>& key, std::uint64_t counter, Bytes plaintext, Bytes aad) {
  Buffer out(plaintext.size() + kTagSize);
  aead_seal(key, counter, plaintext, aad, out);
  return out;
}

std::optional<Buffer> open(const Secret<32>& key, std::uint64_t counter, Bytes ciphertext,
                           Bytes aad) {
  Buffer out(ciphertext.size() - kTagSize);
  if (!aead_open(key, counter, ciphertext, aad, out)) return std::nullopt;
  return out;
}

// RFC 8439 §A.5: the one AEAD vector of the RFC whose nonce starts with 32 zero bits, as all of
// WireGuard's do. Its other 64 bits are 01 02 .. 08.
constexpr std::uint64_t kRfcCounter = 0x0807060504030201;
const Buffer kRfcAad = unhex("f33388860000000000004e91");
const Buffer kRfcSealed = unhex(
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
    "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
    "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
    "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
    "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
    "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
    "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
    "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
    "a6ad5cb4022b02709b"
    "eead9d67890cbb22392336fea1851f38");
const Secret<32> kRfcKey =
    key_of("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
const Buffer kRfcText = text_bytes(
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "
    "replaced, or obsoleted by other documents at any time. It is inappropriate to use "
    "Internet-Drafts as reference material or to cite them other than as "
    "/\xe2\x80\x9cwork in progress./\xe2\x80\x9d");

TEST(HandshakeAead, P2_Rfc8439VectorOpens) {
  EXPECT_EQ(open(kRfcKey, kRfcCounter, kRfcSealed, kRfcAad), kRfcText);
}

TEST(HandshakeAead, P2_Rfc8439VectorIsSealed) {
  EXPECT_EQ(hex(seal(kRfcKey, kRfcCounter, kRfcText, kRfcAad)), hex(kRfcSealed));
}

TEST(HandshakeAead, P2_EmptyPlaintextGivesATag) {
  const Buffer sealed = seal(Secret<32>(), 0, {}, {});
  EXPECT_EQ(hex(sealed), "4eb972c9a8fb3a1b382bb4d36f5ffad1");
  EXPECT_EQ(open(Secret<32>(), 0, sealed, {}), Buffer());
}

TEST(HandshakeAead, P2_OutputMayStartWhereTheInputDoes) {
  Buffer buffer = kRfcText;
  buffer.resize(kRfcSealed.size());
  aead_seal(kRfcKey, kRfcCounter, Bytes(buffer).first(kRfcText.size()), kRfcAad, buffer);
  EXPECT_EQ(buffer, kRfcSealed);
  EXPECT_TRUE(
      aead_open(kRfcKey, kRfcCounter, buffer, kRfcAad, MutBytes(buffer).first(kRfcText.size())));
  buffer.resize(kRfcText.size());
  EXPECT_EQ(buffer, kRfcText);
}

TEST(HandshakeAead, P2_EveryFlippedBitIsRefused) {
  Buffer sealed = kRfcSealed;
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    sealed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_EQ(open(kRfcKey, kRfcCounter, sealed, kRfcAad), std::nullopt) << bit;
    sealed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
}

TEST(HandshakeAead, P2_OtherAadCounterOrKeyIsRefused) {
  EXPECT_EQ(open(kRfcKey, kRfcCounter, kRfcSealed, {}), std::nullopt);
  EXPECT_EQ(open(kRfcKey, kRfcCounter + 1, kRfcSealed, kRfcAad), std::nullopt);
  EXPECT_EQ(open(kRfcKey, kRfcCounter ^ 1ULL << 63, kRfcSealed, kRfcAad), std::nullopt);
  EXPECT_EQ(open(Secret<32>(), kRfcCounter, kRfcSealed, kRfcAad), std::nullopt);
}

TEST(HandshakeAead, P2_InputShorterThanATagIsRefused) {
  const Buffer sealed(kTagSize - 1);
  EXPECT_FALSE(aead_open(kRfcKey, 0, sealed, {}, {}));
  EXPECT_FALSE(aead_open(kRfcKey, 0, {}, {}, {}));
}

// draft-irtf-cfrg-xchacha-03 §A.3.1.
const Secret<32> kXKey = key_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
const Buffer kXAad = unhex("50515253c0c1c2c3c4c5c6c7");
const Buffer kXSealed = unhex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
    "21f9664c97637da9768812f615c68b13b52e"
    "c0875924c1c7987947deafd8780acf49");

std::array<std::uint8_t, kXNonceSize> x_nonce() {
  std::array<std::uint8_t, kXNonceSize> nonce;
  copy(unhex("404142434445464748494a4b4c4d4e4f5051525354555657"), nonce);
  return nonce;
}

TEST(HandshakeAead, P3_XChaChaDraftVectorIsSealed) {
  Buffer sealed(kSunscreen.size() + kTagSize);
  xaead_seal(kXKey.bytes(), x_nonce(), text_bytes(kSunscreen), kXAad, sealed);
  EXPECT_EQ(hex(sealed), hex(kXSealed));
}

TEST(HandshakeAead, P3_XChaChaDraftVectorOpens) {
  Buffer plaintext(kSunscreen.size());
  EXPECT_TRUE(xaead_open(kXKey.bytes(), x_nonce(), kXSealed, kXAad, plaintext));
  EXPECT_EQ(plaintext, text_bytes(kSunscreen));
}

TEST(HandshakeAead, P3_EveryFlippedBitOfACookieIsRefused) {
  Buffer sealed(kTagSize + kTagSize);  // a cookie has 16 bytes
  xaead_seal(kXKey.bytes(), x_nonce(), Buffer(16, 1), kXAad, sealed);
  Buffer cookie(16);
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    sealed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(xaead_open(kXKey.bytes(), x_nonce(), sealed, kXAad, cookie)) << bit;
    sealed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  EXPECT_TRUE(xaead_open(kXKey.bytes(), x_nonce(), sealed, kXAad, cookie));
}

TEST(HandshakeAead, P3_EveryByteOfTheNonceCounts) {
  Buffer plaintext(kSunscreen.size());
  for (std::size_t i = 0; i < kXNonceSize; ++i) {
    auto nonce = x_nonce();
    nonce[i] ^= 1;
    EXPECT_FALSE(xaead_open(kXKey.bytes(), nonce, kXSealed, kXAad, plaintext)) << i;
  }
}

TEST(HandshakeAead, P3_InputShorterThanATagIsRefused) {
  EXPECT_FALSE(xaead_open(kXKey.bytes(), x_nonce(), Buffer(kTagSize - 1), {}, {}));
}

}  // namespace
}  // namespace ferrule::crypto
