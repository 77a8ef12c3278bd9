#include "base/fixed_vector.h"

#include <gtest/gtest.h>

#include <memory>

namespace ferrule {
namespace {

TEST(FixedVector, ElementsStandInOrderAndStayWhereTheyAre) {
  FixedVector<std::unique_ptr<int>, 3> vector;
  vector.push_back(std::make_unique<int>(1));
  const auto* const first = &vector[0];
  EXPECT_FALSE(vector.full());
  vector.push_back(std::make_unique<int>(2));
  vector.push_back(std::make_unique<int>(3));
  EXPECT_TRUE(vector.full());
  EXPECT_EQ(&vector[0], first);
  int expected = 0;
  for (const std::unique_ptr<int>& element : vector) EXPECT_EQ(*element, ++expected);
  EXPECT_EQ(vector.size(), 3u);
}

TEST(FixedVector, ElementsAreDestroyedWithItOrWhenItIsCleared) {
  const auto owned = std::make_shared<int>(1);
  {
    FixedVector<std::shared_ptr<int>, 2> vector;
    vector.push_back(owned);
    vector.push_back(owned);
    EXPECT_EQ(owned.use_count(), 3);
    vector.clear();
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_EQ(vector.size(), 0u);
    vector.push_back(owned);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(FixedVectorDeathTest, OneTooManyIsAnError) {
  FixedVector<int, 1> vector;
  vector.push_back(1);
  EXPECT_DEATH(vector.push_back(2), "size_ < kRoom");
}

}  // namespace
}  // namespace ferrule
