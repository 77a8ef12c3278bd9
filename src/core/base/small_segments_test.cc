#include "base/small_segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ranges>
#include <utility>

namespace ferrule {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using Numbers = SmallSegments<int, 2>;
static_assert(std::ranges::random_access_range<Numbers>);
static_assert(std::ranges::random_access_range<const Numbers>);

Numbers count_to(int count) {
  Numbers numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

TEST(SmallSegments, ElementsStandInOrderInsideAndOutside) {
  for (const int count : {0, 1, 2, 3, 4, 100'000}) {
    const Numbers numbers = count_to(count);
    ASSERT_EQ(numbers.size(), static_cast<std::size_t>(count));
    int expected = 0;
    for (const int number : numbers) EXPECT_EQ(number, expected++);
  }
}

TEST(SmallSegments, TheFirstOnesStandInIt) {
  const Numbers numbers = count_to(2);
  const auto inside = [&](const void* at) { return at >= &numbers && at < &numbers + 1; };
  EXPECT_TRUE(inside(&numbers.front()) && inside(&numbers.back()));
}

TEST(SmallSegments, ACopyIsOfItsOwn) {
  for (const int count : {2, 5}) {
    const Numbers numbers = count_to(count);
    Numbers copy = numbers;
    EXPECT_EQ(copy, numbers);
    copy[1] = 9;
    EXPECT_EQ(numbers[1], 1);
  }
}

TEST(SmallSegments, WhatWasMovedFromIsEmpty) {
  for (const int count : {2, 5}) {
    Numbers numbers = count_to(count);
    const Numbers taken = std::move(numbers);
    EXPECT_EQ(taken, count_to(count));
    EXPECT_THAT(numbers, IsEmpty());  // NOLINT(bugprone-use-after-move)
    numbers.push_back(7);
    EXPECT_THAT(numbers, ElementsAre(7));
  }
}

TEST(SmallSegments, ElementsGoByRule) {
  for (const int count : {2, 5}) {
    Numbers numbers = count_to(count);
    erase_if(numbers, [](int number) { return number % 2 == 0; });
    EXPECT_THAT(numbers, count == 2 ? ElementsAreArray({1}) : ElementsAreArray({1, 3}));
  }
}

TEST(SmallSegments, ItShrinksFromTheEnd) {
  Numbers numbers = count_to(4);
  for (int left = 3; left >= 0; --left) {
    numbers.pop_back();
    EXPECT_EQ(numbers, count_to(left));
  }
}

}  // namespace
}  // namespace ferrule
