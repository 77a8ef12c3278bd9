#include "cli/top/columns.h"

#include <gtest/gtest.h>

#include <clocale>

namespace ferrule::cli {
namespace {

class TopColumns : public testing::Test {
 protected:
  void SetUp() override {
    if (setlocale(LC_CTYPE, "C.UTF-8") == nullptr) GTEST_SKIP() << "there is no C.UTF-8";
  }
  void TearDown() override { setlocale(LC_CTYPE, "C"); }
};

TEST_F(TopColumns, WideCharactersTakeTwoAndCombiningOnesNone) {
  EXPECT_EQ(columns_of("abc"), 3u);
  EXPECT_EQ(columns_of("Zo\u00eb"), 3u);
  EXPECT_EQ(columns_of("Zoe\u0308"), 3u);
  EXPECT_EQ(columns_of("\u6771\u4eac"), 4u);
}

TEST_F(TopColumns, AWideCharacterIsNotCutInHalf) {
  EXPECT_EQ(cut("\u6771\u4eac", 3), "\u6771");
  EXPECT_EQ(padded("\u6771\u4eac", 3), "\u6771 ");
  EXPECT_EQ(padded("\u6771\u4eac", 6), "\u6771\u4eac  ");
}

TEST_F(TopColumns, NothingFitsInNothing) {
  EXPECT_EQ(cut("a", 0), "");
  EXPECT_EQ(padded("a", 0), "");
}

TEST_F(TopColumns, AsciiHasAQuestionMarkACharacter) {
  EXPECT_EQ(in_ascii("Zo\u00eb \u6771"), "Zo? ?");
}

}  // namespace
}  // namespace ferrule::cli
