#include "control/address_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ferrule::control {
namespace {

std::string next(const std::string& own, const std::vector<std::string>& taken = {}) {
  std::vector<Cidr> cidrs;
  for (const std::string& text : taken) cidrs.push_back(*Cidr::parse(text));
  const auto address = next_free_address(*parse_interface_address(own), cidrs);
  return address ? address->to_string() : "none";
}

TEST(AddressPool, TheLowestFreeAddressIsNext) {
  EXPECT_EQ(next("10.0.0.1/24"), "10.0.0.2");
  EXPECT_EQ(next("10.0.0.5/24"), "10.0.0.1");
  EXPECT_EQ(next("10.0.0.1/24", {"10.0.0.2", "10.0.0.3", "10.0.0.5"}), "10.0.0.4");
  EXPECT_EQ(next("fd00::1/64", {"fd00::2", "fd00::3"}), "fd00::4");
}

TEST(AddressPool, APrefixTakesAllOfItsAddresses) {
  EXPECT_EQ(next("10.0.0.1/24", {"10.0.0.0/26", "10.0.0.9"}), "10.0.0.64");
  EXPECT_EQ(next("10.0.0.1/16", {"10.0.0.0/24", "10.0.1.0/24"}), "10.0.2.0");
}

TEST(AddressPool, WhatHoldsTheWholeNetworkIsARouteElsewhere) {
  EXPECT_EQ(next("10.0.0.1/24", {"0.0.0.0/0", "10.0.0.0/24", "10.0.0.0/8"}), "10.0.0.2");
}

TEST(AddressPool, OtherNetworksAndFamiliesDoNotMatter) {
  EXPECT_EQ(next("10.0.0.1/24", {"10.0.1.2", "a00::2"}), "10.0.0.2");
}

TEST(AddressPool, TheFirstAddressAndTheBroadcastAddressAreNotGivenOut) {
  EXPECT_EQ(next("10.0.0.1/30"), "10.0.0.2");
  EXPECT_EQ(next("10.0.0.1/30", {"10.0.0.2"}), "none");
  EXPECT_EQ(next("fd00::1/126", {"fd00::2"}), "fd00::3");
  EXPECT_EQ(next("fd00::1/126", {"fd00::2", "fd00::3"}), "none");
}

TEST(AddressPool, TwoAddressesMakeANetworkToo) { EXPECT_EQ(next("10.0.0.0/31"), "10.0.0.1"); }

TEST(AddressPool, TheEndOfAllAddressesIsAnEnd) {
  EXPECT_EQ(next("255.255.255.254/31", {"255.255.255.255"}), "none");
}

}  // namespace
}  // namespace ferrule::control
