#include "base/wiped_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

#include "base/own_memory_testing.h"

namespace ferrule {
namespace {

static_assert(!std::is_copy_constructible_v<WipedBytes>);
static_assert(std::is_nothrow_move_constructible_v<WipedBytes>);
static_assert(std::is_nothrow_move_assignable_v<WipedBytes>);

WipedBytes filled(std::uint8_t seed) {
  WipedBytes bytes(4096);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes.data()[i] = static_cast<std::uint8_t>(i * seed + i * i);
  }
  return bytes;
}

TEST(WipedBytes, StartAsZero) {
  const WipedBytes bytes(100);
  EXPECT_TRUE(std::ranges::all_of(bytes.view(), [](std::uint8_t byte) { return byte == 0; }));
}

TEST(WipedBytes, AMoveLeavesNothing) {
  WipedBytes from = filled(1);
  const std::uint8_t* const place = from.data();
  const WipedBytes to(std::move(from));
  EXPECT_EQ(to.data(), place);
  EXPECT_EQ(from.size(), 0u);  // NOLINT(bugprone-use-after-move): the move's promise
}

#ifndef FERRULE_SANITIZED
testing::Needle needle_of(std::uint8_t seed) {
  return testing::Needle(Bytes(filled(seed).view()).subspan(1000, testing::Needle::kSize));
}

TEST(WipedBytes, P46_NothingIsLeftOfThem) {
  if (!testing::can_see_own_memory()) GTEST_SKIP();
  const testing::Needle needle = needle_of(3);
  {
    const WipedBytes bytes = filled(3);
    EXPECT_TRUE(testing::in_own_memory(needle));
  }
  EXPECT_FALSE(testing::in_own_memory(needle));
}

TEST(WipedBytes, P46_NothingIsLeftOfWhatOthersTookThePlaceOf) {
  if (!testing::can_see_own_memory()) GTEST_SKIP();
  const testing::Needle needle = needle_of(5);
  WipedBytes bytes = filled(5);
  bytes = filled(77);
  EXPECT_FALSE(testing::in_own_memory(needle));
  EXPECT_EQ(bytes.size(), 4096u);
}
#endif

}  // namespace
}  // namespace ferrule
