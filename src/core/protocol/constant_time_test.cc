// That no handshake branches on a secret or uses one as an address. Run as
//   valgrind ferrule_protocol_test --gtest_filter='ConstantTime*'
//
// Two kinds of verdict are public, and branched on: whether a DH gave zero, and whether a tag was
// right. Each message has so many of them; more is a leak. (The steps themselves are watched one by
// one in crypto, with nothing allowed.)
#include <gtest/gtest.h>

#include <array>

#include "base/classify_testing.h"
#include "crypto/x25519.h"
#include "protocol/cookie.h"
#include "protocol/noise.h"
#include "protocol/rng_testing.h"

namespace ferrule::protocol {
namespace {

// The branches on each: where it is passed on, and in libsodium.
constexpr unsigned long kDhVerdict = 2;
constexpr unsigned long kTagVerdict = 3;

// Draws nothing but secrets.
class SecretRng final : public Rng {
 public:
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    if (!random_.fill(out)) return false;
    test::classify(out);
    return true;
  }

 private:
  test::RepeatableRng random_{5};
};

class ConstantTimeOfProtocol : public test::ConstantTimeTest {
 protected:
  ConstantTimeOfProtocol() {
    for (Identity* identity : {&initiator_, &responder_}) {
      identity->private_key = std::move(*crypto::generate_private_key(rng_));
      identity->public_key = crypto::public_key_of(identity->private_key);
      test::declassify(identity->public_key.bytes);
    }
    (void)rng_.fill(psk_.mut_bytes());
    const bool accepted =
        crypto::x25519(initiator_.private_key, responder_.public_key, static_static_);
    test::declassify_value(accepted);
  }

  // What goes over the wire is public.
  SentInitiation initiate() {
    auto sent = write_initiation(initiator_, responder_.public_key, static_static_, Timestamp{},
                                 LocalIndex{1}, rng_, initiation_);
    test::declassify(initiation_);
    return std::move(*sent);
  }

  SecretRng rng_;
  Identity initiator_;
  Identity responder_;
  PresharedKey psk_;
  Secret<32> static_static_;
  std::array<std::uint8_t, InitiationLayout::kSize> initiation_{};
  std::array<std::uint8_t, ResponseLayout::kSize> response_{};
};

TEST_F(ConstantTimeOfProtocol, P20_InitiationIsWritten) {
  initiate();
  allow_leaks(kDhVerdict);  // es
}

TEST_F(ConstantTimeOfProtocol, P20_HandshakeIsAnsweredAndCompleted) {
  const SentInitiation sent = initiate();
  allow_leaks(kDhVerdict);  // es
  auto opened = open_initiation(responder_, initiation_);
  ASSERT_TRUE(opened);
  allow_leaks(kDhVerdict + kTagVerdict);       // es, s
  test::declassify(opened->static_key.bytes);  // a name, now that it is known
  ASSERT_TRUE(open_timestamp(*opened, static_static_, initiation_));
  allow_leaks(kTagVerdict);  // the timestamp

  ASSERT_TRUE(write_response(std::move(*opened), psk_, LocalIndex{2}, rng_, response_));
  allow_leaks(2 * kDhVerdict);  // ee, se
  test::declassify(response_);
  ASSERT_TRUE(open_response(initiator_, sent, psk_, response_));
  allow_leaks(2 * kDhVerdict + kTagVerdict);  // ee, se; nothing
}

TEST_F(ConstantTimeOfProtocol, P80_Mac1) {
  CookieHolder(responder_.public_key).add_macs({}, initiation_);
  test::classify(initiation_);
  const bool good = Mac1Checker(responder_.public_key, 1).check(initiation_);
  test::declassify_value(good);
  EXPECT_TRUE(good);
}

TEST_F(ConstantTimeOfProtocol, P83_CookiesAreMadeAndChecked) {
  const Endpoint from = *Endpoint::parse("192.0.2.1:51820");
  CookieChecker checker;
  checker.set_identity(responder_.public_key);
  CookieHolder holder(responder_.public_key);
  holder.add_macs({}, initiation_);
  auto reply = checker.make_reply({}, initiation_, from, rng_);
  ASSERT_TRUE(reply);
  test::declassify(*reply);
  ASSERT_TRUE(holder.consume_reply({}, *reply));
  holder.add_macs({}, initiation_);
  const bool good = checker.check_mac2({}, initiation_, from);
  test::declassify_value(good);
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace ferrule::protocol
