#include "base/secret.h"

#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <ostream>
#include <type_traits>

#include "base/hex_testing.h"
#include "base/keys.h"

namespace ferrule {
namespace {

using Key = Secret<32>;
constexpr std::array<std::uint8_t, 32> kOnes = [] {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(1);
  return bytes;
}();

// A copy of a key must be visible as `clone`, and a comparison as `constant_time_equal`.
static_assert(!std::is_copy_constructible_v<Key> && !std::is_copy_assignable_v<Key>);
static_assert(!std::is_copy_constructible_v<PrivateKey>);
static_assert(std::is_nothrow_move_constructible_v<Key> && std::is_nothrow_move_assignable_v<Key>);
static_assert(!std::equality_comparable<Key> && !std::equality_comparable<PrivateKey>);
template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<Key> && !Printable<PrivateKey>);
// Keys of different purposes are different types.
static_assert(!std::is_convertible_v<PrivateKey, PresharedKey&>);
static_assert(!std::is_constructible_v<PublicKey, PrivateKey>);

TEST(Secret, StartsAsZero) { EXPECT_TRUE(Key().is_zero()); }

TEST(Secret, P46_IsWipedWhenDestroyed) {
  alignas(Key) std::array<std::uint8_t, sizeof(Key)> storage{};
  Key* const key = std::construct_at(reinterpret_cast<Key*>(storage.data()), kOnes);
  ASSERT_FALSE(key->is_zero());
  std::destroy_at(key);
  EXPECT_EQ(test::hex(storage), std::string(64, '0'));
}

TEST(Secret, P46_IsWipedWhenMovedFrom) {
  Key from(kOnes);
  const Key to(std::move(from));
  EXPECT_TRUE(from.is_zero());  // NOLINT(bugprone-use-after-move): the move's promise
  EXPECT_TRUE(constant_time_equal(to.bytes(), kOnes));
}

TEST(Secret, P46_IsWipedWhenMoveAssignedFrom) {
  Key from(kOnes);
  Key to;
  to = std::move(from);
  EXPECT_TRUE(from.is_zero());  // NOLINT(bugprone-use-after-move): the move's promise
  EXPECT_TRUE(constant_time_equal(to.bytes(), kOnes));
}

TEST(Secret, SurvivesMoveToItself) {
  Key key(kOnes);
  Key& same = key;
  key = std::move(same);
  EXPECT_TRUE(constant_time_equal(key.bytes(), kOnes));
}

TEST(Secret, CloneIsACopy) {
  const Key key(kOnes);
  EXPECT_TRUE(constant_time_equal(key.clone().bytes(), key.bytes()));
}

TEST(Secret, KeyTypesAreMadeOfSecrets) {
  const PrivateKey key = Key(kOnes);
  EXPECT_TRUE(constant_time_equal(key.bytes(), kOnes));
}

TEST(ConstantTime, EqualSeesEveryBit) {
  for (std::size_t bit = 0; bit < 8 * kOnes.size(); ++bit) {
    auto other = kOnes;
    other[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(constant_time_equal(kOnes, other)) << bit;
  }
  EXPECT_TRUE(constant_time_equal(kOnes, kOnes));
}

TEST(ConstantTime, EqualTakesLengthIntoAccount) {
  EXPECT_FALSE(constant_time_equal(kOnes, Bytes(kOnes).first(31)));
  EXPECT_TRUE(constant_time_equal(Bytes(), Bytes()));
}

TEST(ConstantTime, IsZeroSeesEveryBit) {
  std::array<std::uint8_t, 32> bytes{};
  EXPECT_TRUE(constant_time_is_zero(bytes));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(constant_time_is_zero(bytes)) << bit;
    bytes[bit / 8] = 0;
  }
}

TEST(Wipe, ReachesBothEndsAndNoFurther) {
  std::array<std::uint8_t, 4> bytes{1, 2, 3, 4};
  wipe(MutBytes(bytes).subspan(1, 2));
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 4>{1, 0, 0, 4}));
  wipe(MutBytes());
}

}  // namespace
}  // namespace ferrule
