#include "quick/forwarding.h"

#include <gtest/gtest.h>

namespace ferrule::quick {
namespace {

std::optional<bool> of(std::string_view note) {
  return forwarding_of(control::ConfDocument("wg0.conf", "[Interface]\n" + std::string(note)));
}

TEST(Forwarding, IsOffUnlessTheInterfaceSaysOn) {
  EXPECT_EQ(of(""), false);
  EXPECT_EQ(of("# Forward = off\n"), false);
  EXPECT_EQ(of("# Forward = on\n"), true);
  EXPECT_EQ(of("# Forward = yes\n"), std::nullopt);
}

TEST(Forwarding, StepsAreShownAsCommands) {
  EXPECT_EQ(set_forwarding(Family::v4, true).shown, "sysctl -q net.ipv4.ip_forward=1");
  EXPECT_EQ(set_forwarding(Family::v6, false).shown, "sysctl -q net.ipv6.conf.all.forwarding=0");
  EXPECT_EQ(delete_masquerade("wg0").shown, "nft delete table inet ferrule-forward-wg0");
}

TEST(Forwarding, WhatNobodyHasSwitchedOnIsNotSwitchedOff) {
  EXPECT_TRUE(families_to_stop("no-such", {}).empty());
}

}  // namespace
}  // namespace ferrule::quick
