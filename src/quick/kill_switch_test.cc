#include "quick/kill_switch.h"

#include <gtest/gtest.h>

namespace ferrule::quick {
namespace {

std::optional<KillSwitch> of(std::string_view note) {
  return kill_switch_of(control::ConfDocument("wg0.conf", "[Interface]\n" + std::string(note)));
}

TEST(KillSwitch, IsOffUnlessTheInterfaceSaysSo) {
  EXPECT_EQ(of(""), KillSwitch::off);
  EXPECT_EQ(of("# KillSwitch = off\n"), KillSwitch::off);
  EXPECT_EQ(of("# KillSwitch = on\n"), KillSwitch::on);
  EXPECT_EQ(of("# killswitch = lan\n"), KillSwitch::lan);
  EXPECT_EQ(of("# KillSwitch = true\n"), std::nullopt);
}

TEST(KillSwitch, ACommentAboutItIsNone) {
  EXPECT_EQ(of("# The KillSwitch is on\n"), KillSwitch::off);
}

TEST(KillSwitch, StepsAreShownAsCommands) {
  EXPECT_EQ(add_kill_switch("wg0", KillSwitch::on, 5).shown,
            "nft add table inet ferrule-kill-switch-wg0 # with its rules");
  EXPECT_EQ(delete_kill_switch("wg0").shown, "nft delete table inet ferrule-kill-switch-wg0");
}

}  // namespace
}  // namespace ferrule::quick
