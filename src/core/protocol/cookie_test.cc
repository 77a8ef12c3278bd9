#include "protocol/cookie.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/hex_testing.h"
#include "crypto/handshake_aead.h"
#include "protocol/constants.h"
#include "protocol/rng_testing.h"

// Vectors: BLAKE2s by Python's hashlib, XChaCha20-Poly1305 by libsodium, from the same inputs.
namespace ferrule::protocol {
namespace {

using test::hex;
using test::unhex;

constexpr Instant kStart = Instant::from_ns(1'000'000'000'000);

// The public key 00 01 .. 1f.
PublicKey responder() {
  PublicKey key;
  std::iota(key.bytes.begin(), key.bytes.end(), std::uint8_t{0});
  return key;
}
PublicKey somebody_else() {
  PublicKey key = responder();
  key.bytes[0] ^= 1;
  return key;
}

// Type, zeros, then 04 05 06 .. up to the macs, which are zero.
std::vector<std::uint8_t> message_of(std::uint8_t type, std::size_t size) {
  std::vector<std::uint8_t> message(size);
  message[0] = type;
  std::iota(message.begin() + 4, message.end() - 32, std::uint8_t{4});
  return message;
}
std::vector<std::uint8_t> initiation() { return message_of(1, InitiationLayout::kSize); }
std::vector<std::uint8_t> response() { return message_of(2, ResponseLayout::kSize); }

std::string mac1_of(Bytes message) { return hex(message.last(32).first(16)); }
std::string mac2_of(Bytes message) { return hex(message.last(16)); }
constexpr std::string_view kNoMac2 = "00000000000000000000000000000000";

Endpoint endpoint(std::string_view text) { return *Endpoint::parse(text); }
const Endpoint kFrom = endpoint("192.0.2.7:51820");

// Both sides of an exchange of cookies.
class CookieTest : public testing::Test {
 protected:
  CookieTest() { checker_.set_identity(responder()); }

  std::vector<std::uint8_t> sent(Instant now) {
    std::vector<std::uint8_t> message = initiation();
    message[8] = next_ephemeral_++;  // no two messages are the same
    holder_.add_macs(now, message);
    return message;
  }
  CookieReply reply_to(Instant now, Bytes message, const Endpoint& from = kFrom) {
    return *checker_.make_reply(now, message, from, rng_);
  }
  // The holder asks and is given a cookie.
  void give_cookie(Instant now, const Endpoint& from = kFrom) {
    ASSERT_TRUE(holder_.consume_reply(now, reply_to(now, sent(now), from)));
  }

  test::RepeatableRng rng_{1};
  CookieChecker checker_;
  CookieHolder holder_{responder()};
  std::uint8_t next_ephemeral_ = 0;
};

TEST(Mac1, P80_IsTheMacOfEverythingBeforeIt) {
  CookieHolder holder(responder());
  std::vector<std::uint8_t> message = initiation();
  holder.add_macs(kStart, message);
  EXPECT_EQ(mac1_of(message), "44a5276c0c75b37d5cfede7eaeb9cf59");
  message = response();
  holder.add_macs(kStart, message);
  EXPECT_EQ(mac1_of(message), "5760cb0cd27ce341104949b3ea1a887d");
}

TEST(Mac1, P80_IsAcceptedByWhomItIsMadeFor) {
  CookieHolder holder(responder());
  for (std::vector<std::uint8_t> message : {initiation(), response()}) {
    holder.add_macs(kStart, message);
    EXPECT_TRUE(Mac1Checker(responder(), 1).check(message));
    EXPECT_FALSE(Mac1Checker(somebody_else(), 1).check(message));
  }
}

TEST(Mac1, P80_AFlippedBitAnywhereBeforeMac2IsRefused) {
  const Mac1Checker checker(responder(), 1);
  CookieHolder holder(responder());
  for (std::vector<std::uint8_t> message : {initiation(), response()}) {
    holder.add_macs(kStart, message);
    for (std::size_t bit = 0; bit < 8 * (message.size() - kMac2Size); ++bit) {
      message[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      ASSERT_FALSE(checker.check(message)) << bit;
      message[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
  }
}

TEST(Mac1, P80_DoesNotCoverMac2) {
  CookieHolder holder(responder());
  std::vector<std::uint8_t> message = initiation();
  holder.add_macs(kStart, message);
  message.back() ^= 1;
  EXPECT_TRUE(Mac1Checker(responder(), 1).check(message));
}

TEST(Mac1, P80_AProofIsGoodForTheIdentityThatItWasGivenFor) {
  CookieHolder holder(responder());
  std::vector<std::uint8_t> message = initiation();
  holder.add_macs(kStart, message);
  const Mac1Checker checker(responder(), 1);
  EXPECT_TRUE(checker.gave(*checker.prove(message)));
  EXPECT_FALSE(checker.gave({})) << "what nobody looked at";
  EXPECT_FALSE(Mac1Checker(somebody_else(), 2).gave(*checker.prove(message)));
  EXPECT_FALSE(Mac1Checker().gave({}));
  message[0] ^= 1;
  EXPECT_FALSE(checker.prove(message));
}

TEST(Mac1, P26_WithoutAnIdentityNothingIsAccepted) {
  std::vector<std::uint8_t> message = initiation();
  EXPECT_FALSE(Mac1Checker().check(message));
  CookieHolder holder(PublicKey{});
  holder.add_macs(kStart, message);
  EXPECT_FALSE(Mac1Checker().check(message));
}

TEST_F(CookieTest, P81_Mac2IsZeroWithoutACookie) { EXPECT_EQ(mac2_of(sent(kStart)), kNoMac2); }

TEST_F(CookieTest, P81_Mac2IsTheMacOfEverythingBeforeIt) {
  test::ByteRng rng{0x11, 0x22};
  std::vector<std::uint8_t> message = initiation();
  holder_.add_macs(kStart, message);
  const CookieReply reply = *checker_.make_reply(kStart, message, kFrom, rng);
  ASSERT_TRUE(holder_.consume_reply(kStart, reply));
  holder_.add_macs(kStart, message);
  EXPECT_EQ(mac2_of(message), "51d1da377810395e6182659b49d0910c");
}

TEST_F(CookieTest, P81_AMessageWithTheCookieIsAccepted) {
  give_cookie(kStart);
  EXPECT_TRUE(checker_.check_mac2(kStart, sent(kStart), kFrom));
  std::vector<std::uint8_t> message = response();
  holder_.add_macs(kStart, message);
  EXPECT_TRUE(checker_.check_mac2(kStart, message, kFrom));
}

TEST_F(CookieTest, P81_AFlippedBitAnywhereIsRefused) {
  give_cookie(kStart);
  std::vector<std::uint8_t> message = sent(kStart);
  for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
    message[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    ASSERT_FALSE(checker_.check_mac2(kStart, message, kFrom)) << bit;
    message[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
}

TEST_F(CookieTest, P81_ACookieIsUsedForLessThan115Seconds) {
  give_cookie(kStart);
  EXPECT_NE(mac2_of(sent(kStart + 115s - 1ns)), kNoMac2);
  EXPECT_EQ(mac2_of(sent(kStart + 115s)), kNoMac2);
}

TEST_F(CookieTest, P81_AnExpiredCookieDoesNotComeBack) {
  give_cookie(kStart);
  (void)sent(kStart + 115s);
  EXPECT_EQ(mac2_of(sent(kStart)), kNoMac2);
}

TEST_F(CookieTest, P82_NoMac2IsGoodBeforeACookieWasGiven) {
  std::vector<std::uint8_t> message = sent(kStart);
  EXPECT_FALSE(checker_.check_mac2(kStart, message, kFrom));
  // Nor is one that an all-zero secret would have made.
  const std::array<std::uint8_t, 2> port{0xca, 0x6c};
  const crypto::Mac cookie =
      crypto::mac(std::array<std::uint8_t, 32>{}, {kFrom.address.bytes(), port});
  copy(crypto::mac(cookie, {Bytes(message).first(message.size() - 16)}),
       MutBytes(message).last(16));
  EXPECT_FALSE(checker_.check_mac2(kStart, message, kFrom));
}

TEST_F(CookieTest, P82_ZeroIsNoGoodMac2) {
  const std::vector<std::uint8_t> message = sent(kStart);
  (void)reply_to(kStart, message);
  EXPECT_FALSE(checker_.check_mac2(kStart, message, kFrom));
}

TEST_F(CookieTest, P83_TheCookieIsTheMacOfAddressAndPortInNetworkOrder) {
  const std::vector<std::pair<Endpoint, std::string_view>> expected{
      {kFrom, "b473e2f911ad3cceba3aa380b0fbc024"},
      {endpoint("[2001:db8::7]:51820"), "279c620c2a7d724f40327033ecf90b10"}};
  for (const auto& [from, cookie] : expected) {
    CookieChecker checker;
    checker.set_identity(responder());
    test::ByteRng rng{0x11, 0x22};
    const std::vector<std::uint8_t> message = sent(kStart);
    ASSERT_TRUE(checker.make_reply(kStart, message, from, rng));
    std::vector<std::uint8_t> answer = initiation();
    copy(crypto::mac(unhex(cookie), {Bytes(answer).first(answer.size() - 16)}),
         MutBytes(answer).last(16));
    EXPECT_TRUE(checker.check_mac2(kStart, answer, from)) << from.to_string();
  }
}

TEST_F(CookieTest, P83_ACookieIsGoodForItsAddressAndPortOnly) {
  give_cookie(kStart);
  const std::vector<std::uint8_t> message = sent(kStart);
  EXPECT_TRUE(checker_.check_mac2(kStart, message, endpoint("192.0.2.7:51820")));
  EXPECT_FALSE(checker_.check_mac2(kStart, message, endpoint("192.0.2.7:51821")));
  EXPECT_FALSE(checker_.check_mac2(kStart, message, endpoint("192.0.2.7:27850")));  // bytes swapped
  EXPECT_FALSE(checker_.check_mac2(kStart, message, endpoint("192.0.2.8:51820")));
  EXPECT_FALSE(checker_.check_mac2(kStart, message, endpoint("[2001:db8::7]:51820")));
}

TEST_F(CookieTest, P83_AnInterfaceIndexIsNoPartOfTheCookie) {
  const Endpoint from = endpoint("[fe80::7%2]:51820");
  give_cookie(kStart, from);
  EXPECT_TRUE(checker_.check_mac2(kStart, sent(kStart), endpoint("[fe80::7%3]:51820")));
}

TEST_F(CookieTest, P83_ACookieDiesWithItsSecretAfter120Seconds) {
  give_cookie(kStart);
  const std::vector<std::uint8_t> message = sent(kStart);
  EXPECT_TRUE(checker_.check_mac2(kStart + 120s - 1ns, message, kFrom));
  EXPECT_FALSE(checker_.check_mac2(kStart + 120s, message, kFrom));
}

TEST_F(CookieTest, P83_TheSecretIsNotRenewedWithinIts120Seconds) {
  give_cookie(kStart);
  const std::vector<std::uint8_t> message = sent(kStart);
  (void)reply_to(kStart + 119s, initiation());
  EXPECT_TRUE(checker_.check_mac2(kStart + 119s, message, kFrom));
}

TEST_F(CookieTest, P83_TheSecretIsRenewedAfter120Seconds) {
  give_cookie(kStart);
  const std::vector<std::uint8_t> message = sent(kStart);
  (void)reply_to(kStart + 120s, initiation());
  EXPECT_FALSE(checker_.check_mac2(kStart + 120s, message, kFrom));
  give_cookie(kStart + 121s);
  EXPECT_TRUE(checker_.check_mac2(kStart + 121s, sent(kStart + 121s), kFrom));
}

TEST_F(CookieTest, P83_ANewIdentityForgetsTheSecret) {
  give_cookie(kStart);
  const std::vector<std::uint8_t> message = sent(kStart);
  checker_.set_identity(somebody_else());
  EXPECT_FALSE(checker_.check_mac2(kStart, message, kFrom));
}

TEST_F(CookieTest, P84_TheReplyIsSealedForTheMessageItAnswers) {
  const std::vector<std::tuple<std::vector<std::uint8_t>, std::string_view, std::string_view>>
      expected{{initiation(), "192.0.2.7:51820",
                "0300000004050607222222222222222222222222222222222222222222222222"
                "ee608797efb6ab7b5b76c01c48b65413e0ad1a2b79a270bec01fd666308e8f34"},
               {initiation(), "[2001:db8::7]:51820",
                "0300000004050607222222222222222222222222222222222222222222222222"
                "7d8f0762d466e5faa17e13af14b49f27e4e9d9b30b4242adfbc9e55a62d94adf"},
               {response(), "192.0.2.7:51820",
                "0300000004050607222222222222222222222222222222222222222222222222"
                "ee608797efb6ab7b5b76c01c48b654131454e9f3a342131b64df944c2de6444f"}};
  for (auto [message, from, reply] : expected) {
    checker_.set_identity(responder());  // a new secret
    test::ByteRng rng{0x11, 0x22};
    holder_.add_macs(kStart, message);
    EXPECT_EQ(hex(*checker_.make_reply(kStart, message, endpoint(from), rng)), reply) << from;
  }
}

TEST_F(CookieTest, P84_EveryReplyHasANonceOfItsOwn) {
  const std::vector<std::uint8_t> message = sent(kStart);
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) {
    nonces.insert(hex(Bytes(reply_to(kStart, message)).subspan(8, 24)));
  }
  EXPECT_EQ(nonces.size(), 100u);
}

TEST_F(CookieTest, P85_TheReplyIsShorterThanWhatItAnswers) {
  EXPECT_LT(reply_to(kStart, sent(kStart)).size(), ResponseLayout::kSize);
}

TEST_F(CookieTest, P35_NoReplyWithoutRandomness) {
  const std::vector<std::uint8_t> message = sent(kStart);
  test::ByteRng no_secret{};
  EXPECT_FALSE(checker_.make_reply(kStart, message, kFrom, no_secret));
  test::ByteRng no_nonce{0x11};
  EXPECT_FALSE(checker_.make_reply(kStart, message, kFrom, no_nonce));
  EXPECT_TRUE(checker_.make_reply(kStart, message, kFrom, rng_));
}

TEST_F(CookieTest, P84_AReplyIsTakenOnce) {
  const CookieReply reply = reply_to(kStart, sent(kStart));
  EXPECT_TRUE(holder_.consume_reply(kStart, reply));
  EXPECT_FALSE(holder_.consume_reply(kStart, reply));
}

TEST_F(CookieTest, P84_AReplyTakenAgainDoesNotRenewTheCookie) {
  const CookieReply reply = reply_to(kStart, sent(kStart));
  ASSERT_TRUE(holder_.consume_reply(kStart, reply));
  (void)holder_.consume_reply(kStart + 60s, reply);
  EXPECT_EQ(mac2_of(sent(kStart + 115s)), kNoMac2);
}

TEST_F(CookieTest, P84_OnlyOneReplyIsTakenForAMessage) {
  const std::vector<std::uint8_t> message = sent(kStart);
  ASSERT_TRUE(holder_.consume_reply(kStart, reply_to(kStart, message)));
  EXPECT_FALSE(holder_.consume_reply(kStart, reply_to(kStart, message)));
}

TEST_F(CookieTest, P84_AReplyToAnEarlierMessageIsRefused) {
  const CookieReply reply = reply_to(kStart, sent(kStart));
  (void)sent(kStart + 5s);
  EXPECT_FALSE(holder_.consume_reply(kStart + 5s, reply));
}

TEST_F(CookieTest, P84_NoReplyIsTakenBeforeAnythingWasSent) {
  std::vector<std::uint8_t> message = initiation();  // its mac1 is zero, like what was never sent
  EXPECT_FALSE(holder_.consume_reply(kStart, reply_to(kStart, message)));
}

TEST_F(CookieTest, P84_AReplyOfSomebodyElseIsRefused) {
  checker_.set_identity(somebody_else());
  EXPECT_FALSE(holder_.consume_reply(kStart, reply_to(kStart, sent(kStart))));
}

TEST_F(CookieTest, P84_AForgedReplyLeavesTheStateAsItWas) {
  const CookieReply good = reply_to(kStart, sent(kStart));
  for (std::size_t byte = CookieReplyLayout::kNonce; byte < good.size(); ++byte) {
    CookieReply forged = good;
    forged[byte] ^= 1;
    ASSERT_FALSE(holder_.consume_reply(kStart, forged)) << byte;
  }
  EXPECT_TRUE(holder_.consume_reply(kStart, good));
}

TEST_F(CookieTest, P84_AForgedReplyLeavesTheCookieAsItWas) {
  give_cookie(kStart);
  CookieReply forged = reply_to(kStart, sent(kStart));
  forged.back() ^= 1;
  EXPECT_FALSE(holder_.consume_reply(kStart + 1s, forged));
  EXPECT_TRUE(checker_.check_mac2(kStart + 1s, sent(kStart + 1s), kFrom));
}

TEST_F(CookieTest, P84_AReplyOfAnyOtherLengthIsRefused) {
  const CookieReply reply = reply_to(kStart, sent(kStart));
  std::vector<std::uint8_t> longer(reply.begin(), reply.end());
  longer.push_back(0);
  EXPECT_FALSE(holder_.consume_reply(kStart, longer));
  for (std::size_t size = 0; size < reply.size(); ++size) {
    ASSERT_FALSE(holder_.consume_reply(kStart, Bytes(reply).first(size)));
  }
}

TEST_F(CookieTest, P84_TheNextMessageAsksForACookieAgain) {
  give_cookie(kStart);
  EXPECT_TRUE(holder_.consume_reply(kStart + 1s, reply_to(kStart + 1s, sent(kStart + 1s))));
  EXPECT_NE(mac2_of(sent(kStart + 115s)), kNoMac2);
  EXPECT_EQ(mac2_of(sent(kStart + 116s)), kNoMac2);
}

}  // namespace
}  // namespace ferrule::protocol
