#include "crypto/blake2s.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/hex_testing.h"

namespace ferrule::crypto {
namespace {

using test::hex;
using test::unhex;

Bytes text_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::vector<std::uint8_t> counting(std::size_t size, std::size_t first = 0) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

// RFC 7693 appendix E: a Fibonacci generator of test input.
std::vector<std::uint8_t> selftest_sequence(std::size_t size, std::uint32_t seed) {
  std::vector<std::uint8_t> bytes;
  std::uint32_t a = 0xDEAD4BAD * seed;
  std::uint32_t b = 1;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t sum = a + b;
    a = b;
    b = sum;
    bytes.push_back(static_cast<std::uint8_t>(sum >> 24));
  }
  return bytes;
}

std::vector<std::uint8_t> digest_of(std::size_t digest_size, Bytes key, Bytes input) {
  std::vector<std::uint8_t> digest(digest_size);
  Blake2s(digest_size, key).update(input).finish(digest);
  return digest;
}

TEST(Blake2s, P4_Rfc7693VectorAbc) {
  EXPECT_EQ(hex(hash({text_bytes("abc")})),
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

TEST(Blake2s, P4_Rfc7693SelfTest) {
  Blake2s all;
  for (const std::size_t digest_size : {16, 20, 28, 32}) {
    for (const std::size_t size : {0, 3, 64, 65, 255, 1024}) {
      const auto input = selftest_sequence(size, static_cast<std::uint32_t>(size));
      all.update(digest_of(digest_size, {}, input));
      const auto key = selftest_sequence(digest_size, static_cast<std::uint32_t>(digest_size));
      all.update(digest_of(digest_size, key, input));
    }
  }
  Hash digest;
  all.finish(digest);
  EXPECT_EQ(hex(digest), "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe");
}

TEST(Blake2s, P4_HashOfNothing) {
  constexpr auto kEmpty = "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9";
  EXPECT_EQ(hex(hash({})), kEmpty);
  EXPECT_EQ(hex(hash({Bytes(), Bytes()})), kEmpty);
}

struct MacCase {
  std::size_t input_size;
  const char* mac;
};
// Key 00 01 .. 1f, input byte i is 7i + size. By Python's hashlib.
constexpr MacCase kMacs[] = {
    {0, "9536f9b267655743dee97b8a670f9f53"},   {1, "09592f9cc501fa68e20d2d4c6eddb4d6"},
    {63, "9451c45219c16aea00f764a122188a72"},  {64, "a98bd19ee44f86595e699274b7c20141"},
    {65, "932e312affdbb0e4cdbe528d374cc65e"},  {116, "03e3b8eb82f16d55e749e6593be0b3a8"},
    {128, "36a944d1c56b95e223bf3965a3de6d18"}, {129, "d48a90e07a10d4c47f65fcd9d60a4b9c"},
    {192, "3a8235a8ebb05ab70bfa7c2ddeba3996"}};

std::vector<std::uint8_t> mac_input(std::size_t size) {
  std::vector<std::uint8_t> input(size);
  for (std::size_t i = 0; i < size; ++i) input[i] = static_cast<std::uint8_t>(7 * i + size);
  return input;
}

TEST(Blake2s, P4_MacIsKeyedBlake2sOfSixteenBytes) {
  for (const auto& [size, expected] : kMacs) {
    EXPECT_EQ(hex(mac(counting(32), {mac_input(size)})), expected) << size;
  }
}

TEST(Blake2s, P4_MacTakesAKeyOfSixteenBytes) {  // a cookie, for mac2
  EXPECT_EQ(hex(mac(counting(16), {text_bytes("cookie")})), "d6299c318b76ee501544e61b2477140c");
}

TEST(Blake2s, P4_KeptMacKeyGivesTheSameMac) {
  const MacKey key(counting(32));
  for (const auto& [size, expected] : kMacs) {
    if (size == 0) continue;
    EXPECT_EQ(hex(key.mac({mac_input(size)})), expected) << size;
    EXPECT_EQ(hex(key.mac({Bytes(), mac_input(size)})), expected) << size;
  }
}

TEST(Blake2sDeathTest, KeptMacKeyNeedsInput) {
  EXPECT_DEATH((void)MacKey(counting(32)).mac({Bytes()}), "broken invariant");
}

TEST(Blake2s, P4_PartsAreHashedAsOneMessage) {
  const auto message = counting(200);
  const Hash whole = hash({message});
  for (std::size_t first = 0; first <= message.size(); ++first) {
    for (const std::size_t second : {std::size_t{0}, std::size_t{1}, std::size_t{64}}) {
      const Bytes rest = Bytes(message).subspan(first);
      const std::size_t cut = std::min(second, rest.size());
      EXPECT_EQ(hash({Bytes(message).first(first), rest.first(cut), rest.subspan(cut)}), whole);
    }
  }
}

TEST(Blake2sDeathTest, StateIsOfNoUseAfterFinish) {
  Hash digest;
  Blake2s state;
  state.finish(digest);
  EXPECT_DEATH(state.finish(digest), "broken invariant");
}

TEST(Blake2sDeathTest, SizesBeyondTheRfcAreErrorsOfTheProgram) {
  EXPECT_DEATH(Blake2s(0), "broken invariant");
  EXPECT_DEATH(Blake2s(33), "broken invariant");
  EXPECT_DEATH(Blake2s(32, counting(33)), "broken invariant");
}

}  // namespace
}  // namespace ferrule::crypto
