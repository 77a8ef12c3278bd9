// That nothing branches on a secret or uses one as an address. Run as
//   valgrind ferrule_base_test --gtest_filter='ConstantTime*'
#include <gtest/gtest.h>

#include "base/classify_testing.h"
#include "base/key_text.h"
#include "base/secret.h"

namespace ferrule {
namespace {

class ConstantTimeOfBase : public test::ConstantTimeTest {
 protected:
  std::array<std::uint8_t, kKeySize> key_{1, 0xfe, 0x80, 9};
};

// A check that can't fail proves nothing: what leaks on purpose is seen.
TEST_F(ConstantTimeOfBase, BranchOnASecretIsSeen) {
  std::array<std::uint8_t, 1> bait{1};
  test::classify(bait);
  [[maybe_unused]] volatile bool taken = false;
  if (bait[0] == 1) taken = true;
  expect_leaks(1);
}

TEST_F(ConstantTimeOfBase, IndexByASecretIsSeen) {
  volatile std::uint8_t table[256] = {};
  std::array<std::uint8_t, 1> bait{7};
  test::classify(bait);
  [[maybe_unused]] volatile std::uint8_t found = 0;
  found = table[bait[0]];
  expect_leaks(1);
}

TEST_F(ConstantTimeOfBase, ComparisonThatStopsEarlyIsSeen) {
  const std::array<std::uint8_t, kKeySize> same = key_;
  test::classify(key_);
  [[maybe_unused]] volatile std::size_t equal_bytes = 0;
  for (std::size_t i = 0; i < kKeySize; ++i) {
    if (key_[i] != same[i]) break;
    equal_bytes = i + 1;
  }
  expect_leaks(kKeySize);
}

TEST_F(ConstantTimeOfBase, KeyToHex) {
  std::array<char, kKeyHexSize> text;
  test::classify(key_);
  key_to_hex(key_, text);
}

TEST_F(ConstantTimeOfBase, KeyToBase64) {
  std::array<char, kKeyBase64Size> text;
  test::classify(key_);
  key_to_base64(key_, text);
}

TEST_F(ConstantTimeOfBase, KeyFromHex) {
  std::array<char, kKeyHexSize> text;
  key_to_hex(key_, text);
  test::classify_value(text);
  const bool known = key_from_hex({text.data(), text.size()}, key_);
  test::declassify_value(known);
  EXPECT_TRUE(known);
}

TEST_F(ConstantTimeOfBase, KeyFromBase64) {
  std::array<char, kKeyBase64Size> text;
  key_to_base64(key_, text);
  test::classify({reinterpret_cast<std::uint8_t*>(text.data()), text.size() - 1});
  const bool known = key_from_base64({text.data(), text.size()}, key_);
  test::declassify_value(known);
  EXPECT_TRUE(known);
}

TEST_F(ConstantTimeOfBase, Equal) {
  std::array<std::uint8_t, kKeySize> other{1};
  test::classify(key_);
  test::classify(other);
  const bool equal = constant_time_equal(key_, other);
  test::declassify_value(equal);
  EXPECT_FALSE(equal);
}

TEST_F(ConstantTimeOfBase, IsZero) {
  test::classify(key_);
  const bool zero = constant_time_is_zero(key_);
  test::declassify_value(zero);
  EXPECT_FALSE(zero);
}

}  // namespace
}  // namespace ferrule
