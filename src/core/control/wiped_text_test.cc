#include "control/wiped_text.h"

#include <gtest/gtest.h>

#include <string>

namespace ferrule::control {
namespace {

TEST(WipedText, GrowsByAppending) {
  WipedText text;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    text.append(std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(text.view(), expected);
}

TEST(WipedText, RewindingWipesAndKeepsTheMemory) {
  WipedText text("secret");
  const char* memory = text.view().data();
  text.rewind();
  EXPECT_EQ(std::string(memory, 6), std::string(6, '\0'));
  text.append("other");
  EXPECT_EQ(text.view().data(), memory);
}

TEST(WipedText, HoldsNoMemoryAfterClear) {
  WipedText text("secret");
  text.clear();
  EXPECT_EQ(text.capacity(), 0u);
  EXPECT_TRUE(text.empty());
}

TEST(WipedText, MovingLeavesAnEmptyText) {
  WipedText from("secret");
  WipedText to = std::move(from);
  EXPECT_EQ(to.view(), "secret");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(from.capacity(), 0u);
}

}  // namespace
}  // namespace ferrule::control
