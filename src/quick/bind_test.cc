#include "quick/bind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrule::quick {
namespace {

using testing::HasSubstr;

std::expected<LocalPlace, std::string> place_in(const std::string& lines) {
  return place_of(control::ConfDocument("wg0.conf", "[Interface]\n" + lines));
}

TEST(Bind, AFileWithoutItBindsEverywhere) {
  EXPECT_TRUE(place_in("")->is_anywhere());
  EXPECT_EQ(place_text(*place_in("")), "(all addresses)");
}

TEST(Bind, OneAddressAFamilyAndAnInterface) {
  const auto place = place_in("# Bind = 192.0.2.1, 2001:db8::1\n# BindInterface = eth1\n");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->addresses.v4, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(place->addresses.v6, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(place->interface, "eth1");
  EXPECT_EQ(place_text(*place), "192.0.2.1,2001:db8::1 by eth1");
}

TEST(Bind, WhatIsNoSuchAddressIsSaid) {
  for (const auto* wrong :
       {"eth0", "192.0.2.1/24", "0.0.0.0", "::", "192.0.2.1, 192.0.2.2", "192.0.2.1,", "any"}) {
    const auto place = place_in("# Bind = " + std::string(wrong) + "\n");
    ASSERT_FALSE(place) << wrong;
    EXPECT_THAT(place.error(), HasSubstr("Bind is an address of this machine")) << wrong;
  }
  EXPECT_FALSE(place_in("# BindInterface = an-interface-of-25-bytes\n"));
}

}  // namespace
}  // namespace ferrule::quick
