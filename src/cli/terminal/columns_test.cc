#include "cli/terminal/columns.h"

#include <gtest/gtest.h>

namespace ferrule::cli {
namespace {

TEST(Columns, WideCharactersTakeTwoAndCombiningOnesNone) {
  EXPECT_EQ(columns_of("abc"), 3u);
  EXPECT_EQ(columns_of("Zo\u00eb"), 3u);
  EXPECT_EQ(columns_of("Zoe\u0308"), 3u);
  EXPECT_EQ(columns_of("\u6771\u4eac"), 4u);
}

TEST(Columns, AWideCharacterIsNotCutInHalf) {
  EXPECT_EQ(cut("\u6771\u4eac", 3), "\u6771");
  EXPECT_EQ(padded("\u6771\u4eac", 3), "\u6771 ");
  EXPECT_EQ(padded("\u6771\u4eac", 6), "\u6771\u4eac  ");
}

TEST(Columns, NothingFitsInNothing) {
  EXPECT_EQ(cut("a", 0), "");
  EXPECT_EQ(padded("a", 0), "");
}

TEST(Columns, AsciiHasAQuestionMarkACharacter) { EXPECT_EQ(in_ascii("Zo\u00eb \u6771"), "Zo? ?"); }

TEST(Columns, WhatFindsNoRoomIsSeenToBeMissing) {
  EXPECT_EQ(shortened("alice", 5), "alice");
  EXPECT_EQ(shortened("alice", 4), "ali\u2026");
  EXPECT_EQ(shortened("\u6771\u4eac", 3), "\u6771\u2026");
}

}  // namespace
}  // namespace ferrule::cli
