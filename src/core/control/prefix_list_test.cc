#include "control/prefix_list.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace ferrule::control {
namespace {

const std::array kPrefixes{*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::1/128")};

TEST(PrefixList, HasACommaAndASpaceBetweenTwo) {
  EXPECT_EQ(prefix_list(kPrefixes), "10.0.0.0/8, fd00::1/128");
}

TEST(PrefixList, HasAnotherSeparatorWhereItIsAskedFor) {
  EXPECT_EQ(prefix_list(kPrefixes, " "), "10.0.0.0/8 fd00::1/128");
}

TEST(PrefixList, OfNoneIsEmpty) { EXPECT_EQ(prefix_list(std::span<const Cidr>()), ""); }

TEST(PrefixList, IsTheSameOfChanges) {
  const protocol::AllowedIpChanges changes{{kPrefixes[0], false}, {kPrefixes[1], true}};
  EXPECT_EQ(prefix_list(changes), "10.0.0.0/8, fd00::1/128");
}

}  // namespace
}  // namespace ferrule::control
