// The handshake against recordings: one made by the slow Python implementation of the end-to-end
// suite, and cacophony's vector for the Noise pattern (P6, P7, P20 to P24).
#include "protocol/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>

#include "base/hex_testing.h"
#include "crypto/handshake_aead.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"
#include "protocol/cookie.h"

namespace ferrule::protocol {
namespace {

using test::hex;
using test::unhex;
using Buffer = std::vector<std::uint8_t>;

Bytes text(std::string_view of) {
  return {reinterpret_cast<const std::uint8_t*>(of.data()), of.size()};
}

PrivateKey private_key(Bytes bytes) {
  PrivateKey key{std::span<const std::uint8_t, 32>(bytes)};
  crypto::clamp(key);
  return key;
}

Identity identity(std::uint8_t first) {
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  Identity own{private_key(bytes), {}};
  own.public_key = crypto::public_key_of(own.private_key);
  return own;
}

// Gives the same byte for ever.
class ConstantRng final : public Rng {
 public:
  explicit ConstantRng(std::uint8_t byte) : byte_(byte) {}
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    std::ranges::fill(out, byte_);
    return true;
  }

 private:
  std::uint8_t byte_;
};

const Buffer kInitiation = unhex(
    "010000004433221113be4feaeaf204c7fd3358fc9c00721881d174278128227ec674f37f7fe97b6d"
    "637d2d7dc8a7bcba0d9cebee6fd40b84dd65f60c1f7b0c5efa4a75288472f08692a2e4afdfc73bc4"
    "58b8cbb097cd4c360b7e27ab5b15acb3fe914a0f9596ccea06f047fab71f9937e206e286a564d486"
    "0a8030590b0d3ad38a80d6e900000000000000000000000000000000");
const Buffer kResponse = unhex(
    "02000000887766554433221157db4b359f23ae5e146e4e2512056704722506348c150c14753d0c93"
    "3d04d421b78a47cad43eb36edfac82779729033940bac5a6737d182156234cdc51808cb500000000"
    "000000000000000000000000");
constexpr std::string_view kT1 = "e05c8f7123566b63adaad623ca7fdf4eac632812b49f1e50750b3fead0f540ac";
constexpr std::string_view kT2 = "cf6e44b409033cdbfd75841effd2747564e3f63a17239b6e5ac0f340196bc45c";

// The recorded handshake: keys of counting bytes, ephemerals 0707.. and 0909.., psk 4242...
class RecordedHandshake : public ::testing::Test {
 protected:
  RecordedHandshake() {
    EXPECT_TRUE(crypto::x25519(initiator.private_key, responder.public_key, static_static));
    std::ranges::fill(psk.mut_bytes(), std::uint8_t{0x42});
  }
  std::optional<SentInitiation> initiate(MutBytes out) {
    ConstantRng rng(7);
    return write_initiation(initiator, responder.public_key, static_static,
                            make_timestamp({1'700'000'000, 0x01000000}), LocalIndex{0x11223344},
                            rng, out);
  }

  Identity initiator = identity(1);
  Identity responder = identity(101);
  Secret<32> static_static;
  PresharedKey psk;
};

TEST_F(RecordedHandshake, P20_InitiationIsByteForByteTheRecordedOne) {
  Buffer out(InitiationLayout::kSize);
  ASSERT_TRUE(initiate(out));
  CookieHolder(responder.public_key).add_macs(Instant{}, out);
  EXPECT_EQ(hex(out), hex(kInitiation));
}

TEST_F(RecordedHandshake, P20_ResponderReadsTheRecordedInitiation) {
  auto opened = open_initiation(responder, kInitiation);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->static_key, initiator.public_key);
  EXPECT_EQ(opened->sender, RemoteIndex{0x11223344});
  EXPECT_EQ(open_timestamp(*opened, static_static, kInitiation),
            make_timestamp({1'700'000'000, 0x01000000}));
}

// Anyone can make a message that holds with an ephemeral of low order: the shared secret is zero.
TEST_F(RecordedHandshake, P1_AnEphemeralOfLowOrderOpensNothingThoughAllElseHolds) {
  const auto zero = [] { return Dh{Secret<32>(), true}; };
  Buffer out(InitiationLayout::kSize);
  ASSERT_TRUE(write_initiation(initiator.public_key, responder.public_key, Ephemeral{}, zero(),
                               static_static, Timestamp{}, LocalIndex{1}, out));
  ASSERT_TRUE(open_initiation(responder.public_key, zero(), out)) << "but for the ephemeral";
  EXPECT_FALSE(open_initiation(responder, out));
}

TEST_F(RecordedHandshake, P22_ResponseIsByteForByteTheRecordedOne) {
  auto opened = open_initiation(responder, kInitiation);
  ASSERT_TRUE(open_timestamp(*opened, static_static, kInitiation));
  ConstantRng rng(9);
  Buffer out(ResponseLayout::kSize);
  const auto keys = write_response(std::move(*opened), psk, LocalIndex{0x55667788}, rng, out);
  ASSERT_TRUE(keys);
  CookieHolder(initiator.public_key).add_macs(Instant{}, out);
  EXPECT_EQ(hex(out), hex(kResponse));
  EXPECT_EQ(hex(keys->receiving.bytes()), kT1);
  EXPECT_EQ(hex(keys->sending.bytes()), kT2);
}

TEST_F(RecordedHandshake, P23_InitiatorSendsWithT1AndReceivesWithT2) {
  Buffer out(InitiationLayout::kSize);
  const auto sent = initiate(out);
  const auto keys = open_response(initiator, *sent, psk, kResponse);
  ASSERT_TRUE(keys);
  EXPECT_EQ(hex(keys->sending.bytes()), kT1);
  EXPECT_EQ(hex(keys->receiving.bytes()), kT2);
}

TEST_F(RecordedHandshake, P22_AnotherPresharedKeyDoesNotOpenTheResponse) {
  Buffer out(InitiationLayout::kSize);
  const auto sent = initiate(out);
  EXPECT_FALSE(open_response(initiator, *sent, PresharedKey(), kResponse));
}

TEST_F(RecordedHandshake, P30_AFailedResponseLeavesTheInitiatorsStateAsItWas) {
  Buffer out(InitiationLayout::kSize);
  const auto sent = initiate(out);
  const std::string before = hex(sent->state.hash());
  Buffer forged = kResponse;
  forged[ResponseLayout::kNothing] ^= 1;
  EXPECT_FALSE(open_response(initiator, *sent, psk, forged));
  EXPECT_EQ(hex(sent->state.hash()), before);
  EXPECT_TRUE(open_response(initiator, *sent, psk, kResponse));
}

TEST_F(RecordedHandshake, P20_EveryFlippedByteOfTheInitiationIsRefused) {
  for (std::size_t i = InitiationLayout::kEphemeral; i < InitiationLayout::kMac1; ++i) {
    if (i == InitiationLayout::kEphemeral + 31) continue;  // the top bit of a point means nothing
    Buffer forged = kInitiation;
    forged[i] ^= 4;
    auto opened = open_initiation(responder, forged);
    const bool accepted = opened && open_timestamp(*opened, static_static, forged);
    EXPECT_FALSE(accepted) << "byte " << i;
  }
}

TEST_F(RecordedHandshake, P26_AnInitiationToAnotherIdentityDoesNotOpen) {
  EXPECT_FALSE(open_initiation(identity(50), kInitiation));
}

TEST(SymmetricStateTest, P6_TheStringsHaveNoTerminatingZero) {
  SymmetricState with_zero(text(std::string_view("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s\0", 38)));
  SymmetricState without(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  EXPECT_NE(hex(with_zero.hash()), hex(without.hash()));
  EXPECT_EQ(hex(without.hash()),
            "60e26daef327efc02ec335e2a025d2d016eb4206f87277f52d38d1988b78cd36");
}

TEST(SymmetricStateTest, P7_InitialHashIsThatOfEveryWireGuard) {
  SymmetricState state(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  state.mix_hash(text("WireGuard v1 zx2c4 Jason@zx2c4.com"));
  EXPECT_EQ(hex(state.hash()), "2211b361081ac566691243db458ad5322d9c6c662293e8b70ee19c65ba079ef3");
}

TEST(SymmetricStateTest, P21_AnEphemeralIsMixedIntoTheChainingKeyByKdf1) {
  SymmetricState state(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  crypto::ChainingKey expected;
  copy(state.hash(), expected.mut_bytes());  // both start from the same hash
  const Buffer ephemeral(32, 5);
  state.mix_chaining_key(ephemeral);
  crypto::kdf1(expected.bytes(), ephemeral, expected);
  Secret<32> t1, t2, expected_t1, expected_t2;
  state.split(t1, t2);
  crypto::kdf2(expected.bytes(), {}, expected_t1, expected_t2);
  EXPECT_EQ(hex(t1.bytes()), hex(expected_t1.bytes()));
  EXPECT_EQ(hex(t2.bytes()), hex(expected_t2.bytes()));
}

TEST(SymmetricStateTest, P24_TheStateIsWipedWhenItEnds) {
  alignas(SymmetricState) std::array<std::uint8_t, sizeof(SymmetricState)> room;
  room.fill(0xAA);
  auto* state = new (room.data()) SymmetricState(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  state->mix_key(Buffer(32, 1));
  std::destroy_at(state);
  asm volatile("" : : "r"(room.data()) : "memory");
  EXPECT_TRUE(std::ranges::all_of(room, [](std::uint8_t byte) { return byte == 0; }));
}

TEST(SymmetricStateTest, P24_SecretsCannotBeCopiedUnseen) {
  EXPECT_FALSE(std::is_copy_constructible_v<SymmetricState>);
  EXPECT_FALSE(std::is_copy_constructible_v<SentInitiation>);
  EXPECT_FALSE(std::is_copy_constructible_v<TransportKeys>);
}

// Both sides of cacophony's vector, driven token by token: WireGuard's algebra with its prologue,
// payloads and keys.
class Cacophony : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("FERRULE_VECTORS");
    if (folder == nullptr) GTEST_SKIP() << "FERRULE_VECTORS is not set";
    std::ifstream file(std::string(folder) + "/noise_ikpsk2_cacophony.json");
    ASSERT_TRUE(file) << "no noise_ikpsk2_cacophony.json in " << folder;
    vector = nlohmann::json::parse(file)["vectors"][0];
  }
  Buffer bytes(const char* name) { return unhex(vector[name].get<std::string>()); }
  Buffer message(std::size_t i, const char* name) {
    return unhex(vector["messages"][i][name].get<std::string>());
  }
  static PublicKey public_of(const Buffer& key) { return crypto::public_key_of(private_key(key)); }
  static void mix_dh(SymmetricState& state, const Buffer& own, const PublicKey& other) {
    Secret<32> shared;
    ASSERT_TRUE(crypto::x25519(private_key(own), other, shared));
    state.mix_key(shared.bytes());
  }
  static void append(Buffer& to, Bytes what) { to.insert(to.end(), what.begin(), what.end()); }
  static void encrypt(SymmetricState& state, Bytes plaintext, Buffer& to) {
    Buffer sealed(plaintext.size() + 16);
    state.encrypt_and_hash(plaintext, sealed);
    append(to, sealed);
  }
  nlohmann::json vector;
};

TEST_F(Cacophony, P20_P22_P23_ThePatternsWholeRunIsReproduced) {
  SymmetricState state(text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
  const PublicKey remote = public_of(bytes("resp_static"));
  const Buffer e = bytes("init_ephemeral");
  const Buffer re = bytes("resp_ephemeral");
  state.mix_hash(bytes("init_prologue"));
  state.mix_hash(remote.bytes);

  Buffer first(32);
  copy(public_of(e).bytes, first);
  state.mix_hash(first);
  state.mix_chaining_key(first);
  mix_dh(state, e, remote);                                      // es
  encrypt(state, public_of(bytes("init_static")).bytes, first);  // s
  mix_dh(state, bytes("init_static"), remote);                   // ss
  encrypt(state, message(0, "payload"), first);
  EXPECT_EQ(hex(first), hex(message(0, "ciphertext")));

  Buffer second(32);
  copy(public_of(re).bytes, second);
  state.mix_hash(second);
  state.mix_chaining_key(second);
  mix_dh(state, re, public_of(e));                     // ee
  mix_dh(state, re, public_of(bytes("init_static")));  // se
  state.mix_key_and_hash(unhex(vector["init_psks"][0].get<std::string>()));
  encrypt(state, message(1, "payload"), second);
  EXPECT_EQ(hex(second), hex(message(1, "ciphertext")));
  EXPECT_EQ(hex(state.hash()), vector["handshake_hash"].get<std::string>());

  Secret<32> keys[2];
  state.split(keys[0], keys[1]);
  for (std::size_t i = 2; i < vector["messages"].size(); ++i) {
    Buffer sealed(message(i, "payload").size() + 16);
    crypto::aead_seal(keys[i % 2], i / 2 - 1, message(i, "payload"), {}, sealed);
    EXPECT_EQ(hex(sealed), hex(message(i, "ciphertext"))) << "message " << i;
  }
}

}  // namespace
}  // namespace ferrule::protocol
