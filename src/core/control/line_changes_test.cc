#include "control/line_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrule::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

std::vector<std::string> changes(std::string_view before, std::string_view after) {
  std::vector<std::string> shown;
  for (const LineChange& change : line_changes(before, after)) {
    shown.push_back((change.is_added ? "+" : "-") + change.line);
  }
  return shown;
}

TEST(LineChanges, TextsThatAreTheSameHaveNone) {
  EXPECT_THAT(changes("a\nb\n", "a\nb\n"), IsEmpty());
  EXPECT_THAT(changes("a\nb", "a\r\nb\r\n"), IsEmpty());
  EXPECT_THAT(changes("", ""), IsEmpty());
}

TEST(LineChanges, WhatComesAndGoesIsTold) {
  EXPECT_THAT(changes("a\nb\nc\n", "a\nx\nc\nd\n"), ElementsAre("-b", "+x", "+d"));
  EXPECT_THAT(changes("", "a\n"), ElementsAre("+a"));
  EXPECT_THAT(changes("a\n", ""), ElementsAre("-a"));
  EXPECT_THAT(changes("a\nb\na\nb\n", "b\na\n"), ElementsAre("-a", "-b"));
}

TEST(LineChanges, SecretKeysAreNotTold) {
  const std::string key = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
  EXPECT_THAT(changes("", "PrivateKey = " + key),
              ElementsAre(MatchesRegex("\\+PrivateKey =?[ *]+")));
  EXPECT_THAT(changes("#~ PresharedKey = " + key, ""),
              ElementsAre(MatchesRegex("-#~ PresharedKey =?[ *]+")));
  EXPECT_THAT(changes("", "#~ PublicKey = " + key), ElementsAre("+#~ PublicKey = " + key));
  EXPECT_THAT(changes("", "# PublicKey was " + key),
              ElementsAre(MatchesRegex("\\+# PublicKey was[ *]+")));
}

TEST(LineChanges, VeryManyAreToldAsTheyStand) {
  std::string before;
  std::string after;
  for (int i = 0; i < 2000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  const auto told = line_changes("same\n" + before, "same\n" + after);
  ASSERT_EQ(told.size(), 4000u);
  EXPECT_FALSE(told.front().is_added);
  EXPECT_TRUE(told.back().is_added);
}

}  // namespace
}  // namespace ferrule::control
