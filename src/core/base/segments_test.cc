#include "base/segments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <ranges>

namespace ferrule {
namespace {

// Large, so that a few make a segment.
struct Wide {
  explicit Wide(std::size_t n) : number(n) {}
  std::size_t number;
  std::array<std::byte, 8184> rest{};
};
constexpr std::size_t kSegment = Segments<Wide>::kSegment;
static_assert(kSegment == 8);
static_assert(std::ranges::random_access_range<Segments<int>>);

Segments<Wide> count_to(std::size_t count) {
  Segments<Wide> numbers;
  for (std::size_t i = 0; i < count; ++i) (void)numbers.emplace_back(i);
  return numbers;
}

TEST(Segments, ElementsStandInOrderAcrossBlocks) {
  for (const std::size_t count : {0, 1, 7, 8, 9, 16, 17, 40}) {
    Segments<Wide> numbers = count_to(count);
    ASSERT_EQ(numbers.size(), count);
    std::size_t expected = 0;
    for (const Wide& one : numbers) EXPECT_EQ(one.number, expected++);
    EXPECT_EQ(expected, count);
  }
}

TEST(Segments, GrowingBeyondTheFirstBlockMovesNothing) {
  Segments<Wide> numbers = count_to(kSegment);
  const Wide* const first = &numbers[0];
  const Wide* const last = &numbers[kSegment - 1];
  for (std::size_t i = 0; i < 5 * kSegment; ++i) (void)numbers.emplace_back(i);
  EXPECT_EQ(&numbers[0], first);
  EXPECT_EQ(&numbers[kSegment - 1], last);
}

TEST(Segments, WhatIsReservedInStepsOfABlockNeedsNoMemoryLater) {
  Segments<Wide> numbers = count_to(3);
  int steps = 1;
  for (; !numbers.reserve_some(3 * kSegment + 1); ++steps) {
  }
  EXPECT_EQ(steps, 4);
  EXPECT_EQ(numbers.capacity(), 4 * kSegment);
  const std::size_t before = numbers.capacity();
  while (numbers.size() < before) (void)numbers.emplace_back(numbers.size());
  EXPECT_EQ(numbers.capacity(), before);
  for (std::size_t i = 3; i < before; ++i) EXPECT_EQ(numbers[i].number, i);
}

TEST(Segments, WhatIsTakenFromTheEndComesBackInItsPlace) {
  Segments<Wide> numbers = count_to(2 * kSegment + 1);
  while (numbers.size() > kSegment - 1) numbers.pop_back();
  EXPECT_EQ(numbers.back().number, kSegment - 2);
  while (numbers.size() < 3 * kSegment) (void)numbers.emplace_back(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i].number, i);
}

TEST(Segments, WhatStandsBeforeIsFreedByBlocks) {
  Segments<std::shared_ptr<int>> owners;
  const auto owned = std::make_shared<int>(1);
  constexpr std::size_t kBlock = Segments<std::shared_ptr<int>>::kSegment;
  for (std::size_t i = 0; i < 3 * kBlock; ++i) owners.push_back(owned);
  const auto alive = [&] { return static_cast<std::size_t>(owned.use_count() - 1); };
  owners.forget_before(kBlock - 1);
  EXPECT_EQ(alive(), 3 * kBlock);
  owners.forget_before(kBlock);
  EXPECT_EQ(alive(), 2 * kBlock);
  owners.forget_before(3 * kBlock);
  EXPECT_EQ(alive(), 0u);
  EXPECT_EQ(owners.size(), 3 * kBlock);
  owners.clear();
  EXPECT_TRUE(owners.empty());
}

TEST(Segments, WhatIsMovedAwayIsEmpty) {
  Segments<Wide> numbers = count_to(2 * kSegment);
  const Segments<Wide> taken = std::move(numbers);
  EXPECT_EQ(taken.size(), 2 * kSegment);
  EXPECT_TRUE(numbers.empty());  // NOLINT(bugprone-use-after-move): that is the question
  (void)numbers.emplace_back(7u);
  EXPECT_EQ(numbers.front().number, 7u);
}

TEST(Segments, UnwantedElementsAreErasedAndOthersKeepTheirOrder) {
  Segments<Wide> numbers = count_to(3 * kSegment);
  erase_if(numbers, [](const Wide& one) { return one.number % 3 != 0; });
  ASSERT_EQ(numbers.size(), kSegment);
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i].number, 3 * i);
}

}  // namespace
}  // namespace ferrule
