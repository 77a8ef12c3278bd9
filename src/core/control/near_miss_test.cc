#include "control/near_miss.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace ferrule::control {
namespace {

constexpr std::array<std::string_view, 4> kWords{"AllowedIPs", "Address", "DNS", "PublicKey"};

TEST(NearMiss, AMissingLetterIsFound) { EXPECT_EQ(nearest("AllowdIPs", kWords), "AllowedIPs"); }
TEST(NearMiss, CaseDoesNotCount) { EXPECT_EQ(nearest("publickey", kWords), "PublicKey"); }
TEST(NearMiss, SwappedNeighboursAreOneMistake) { EXPECT_EQ(nearest("DSN", kWords), "DNS"); }
TEST(NearMiss, TheNearestOneWins) { EXPECT_EQ(nearest("Adress", kWords), "Address"); }
TEST(NearMiss, SomethingElseIsNoMisspelling) {
  EXPECT_EQ(nearest("Endpoint", kWords), std::nullopt);
}
TEST(NearMiss, NothingIsLikeNothing) { EXPECT_EQ(nearest("", kWords), std::nullopt); }

TEST(NearMiss, LongTextIsNotLookedAt) {
  EXPECT_EQ(nearest(std::string(100000, 'x'), kWords), std::nullopt);
}

}  // namespace
}  // namespace ferrule::control
