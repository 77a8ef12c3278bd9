#include "diagnosis/firewall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ferrule::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> found_in(const std::string& rules, const std::string& hook = "input",
                                  const std::string& table = "inet filter") {
  const std::string ruleset = "table " + table + " {\n\tchain traffic {\n\t\ttype filter hook " +
                              hook + " priority filter; policy accept;\n" + rules + "\t}\n}\n";
  std::vector<std::string> texts;
  for (const FirewallRule& rule : suspicious_rules(ruleset, "wg0", 51820)) {
    EXPECT_EQ(rule.table, table);
    EXPECT_EQ(rule.chain, "traffic");
    texts.push_back(rule.text);
  }
  return texts;
}

TEST(Firewall, ADropOfOurPortIsSuspicious) {
  EXPECT_THAT(found_in("\t\tudp dport 51820 drop\n"), ElementsAre("udp dport 51820 drop"));
  EXPECT_THAT(found_in("\t\tudp dport { 53, 51820 } counter packets 5 bytes 740 reject\n").size(),
              1u);
}

TEST(Firewall, ADropOfOurInterfaceIsSuspicious) {
  EXPECT_THAT(found_in("\t\tiifname \"wg0\" drop\n"), ElementsAre("iifname \"wg0\" drop"));
  EXPECT_THAT(found_in("\t\toifname { \"eth0\", \"wg0\" } reject\n").size(), 1u);
}

TEST(Firewall, WhatNamesOthersOrAcceptsIsNot) {
  EXPECT_THAT(found_in("\t\tudp dport 5182 drop\n\t\tudp dport 518200 drop\n"
                       "\t\ttcp dport 51820 drop\n\t\tiifname \"wg01\" drop\n"
                       "\t\tudp dport 51820 accept\n"),
              IsEmpty());
}

TEST(Firewall, TheLeakProtectionOfWgQuickIsNot) {
  EXPECT_THAT(
      found_in("\t\tiifname != \"wg0\" ip daddr 10.0.0.2 drop\n", "prerouting", "ip wg-quick-wg0"),
      IsEmpty());
}

TEST(Firewall, APolicyThatDropsIsSuspiciousUnlessTheChainAcceptsOurPort) {
  const auto found = [](const std::string& hook, const std::string& rules) {
    return suspicious_rules("table inet filter {\n\tchain in {\n\t\ttype filter hook " + hook +
                                " priority filter; policy drop;\n" + rules + "\t}\n}\n",
                            "wg0", 51820)
        .size();
  };
  EXPECT_EQ(found("input", "\t\ttcp dport 22 accept\n"), 1u);
  EXPECT_EQ(found("input", "\t\tudp dport 51820 accept\n"), 0u);
  EXPECT_EQ(found("forward", ""), 0u);
}

TEST(Firewall, NoRulesetHasNoRules) { EXPECT_THAT(suspicious_rules("", "wg0", 51820), IsEmpty()); }

}  // namespace
}  // namespace ferrule::diagnosis
