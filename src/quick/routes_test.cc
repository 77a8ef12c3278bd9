#include "quick/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "quick/default_route.h"

namespace ferrule::quick {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = TableChoice::Kind;

constexpr std::uint32_t kOurs = 7;
constexpr std::uint32_t kOther = 8;

std::vector<Cidr> prefixes(std::initializer_list<const char*> texts) {
  std::vector<Cidr> result;
  for (const char* text : texts) result.push_back(*Cidr::parse(text));
  return result;
}

std::vector<std::string> destinations(const RoutePlan& plan) {
  std::vector<std::string> texts;
  for (const io::LinkRoute& route : plan.routes) texts.push_back(route.destination.to_string());
  return texts;
}

io::LinkRoute present(const char* destination, std::uint32_t index = kOurs,
                      std::uint32_t table = RT_TABLE_MAIN) {
  return {*Cidr::parse(destination), table, index, true};
}

TEST(QuickTable, IsAutomaticUnlessNamed) {
  EXPECT_EQ(parse_table(std::nullopt)->kind, Kind::automatic);
  EXPECT_EQ(parse_table("auto")->kind, Kind::automatic);
  EXPECT_EQ(parse_table("off")->kind, Kind::off);
}

TEST(QuickTable, IsANumberOrAName) {
  EXPECT_EQ(parse_table("1234")->number, 1234u);
  EXPECT_EQ(parse_table("0x4d2")->number, 1234u);
  EXPECT_EQ(parse_table("0X4D2")->number, 1234u);
  EXPECT_EQ(parse_table("0100")->number, 64u);
  EXPECT_EQ(parse_table("main")->number, 254u);
  EXPECT_EQ(parse_table("0")->number, 254u);
  EXPECT_FALSE(parse_table("no such table"));
  for (const char* text : {"12x", "0x", "08", "", "-1", "4294967296"}) {
    EXPECT_FALSE(parse_table(text)) << text;
  }
}

TEST(QuickRoutes, LongestPrefixesComeFirst) {
  const auto plan =
      plan_routes({}, kOurs, prefixes({"10.0.0.0/8", "fd00::/64", "10.1.0.0/16"}), {});
  EXPECT_THAT(destinations(plan), ElementsAre("fd00::/64", "10.1.0.0/16", "10.0.0.0/8"));
  EXPECT_THAT(plan.defaults, IsEmpty());
}

TEST(QuickRoutes, WhatARouteOfTheInterfaceHoldsNeedsNoOther) {
  const auto wanted = prefixes({"10.0.0.0/24", "10.0.0.7/32", "10.0.0.0/23"});
  EXPECT_THAT(destinations(plan_routes({}, kOurs, wanted, {present("10.0.0.0/24")})),
              ElementsAre("10.0.0.0/23"));
}

TEST(QuickRoutes, RoutesOfOtherInterfacesAndTablesHoldNothing) {
  const auto wanted = prefixes({"10.0.0.0/24"});
  EXPECT_EQ(plan_routes({}, kOurs, wanted, {present("10.0.0.0/24", kOther)}).routes.size(), 1u);
  EXPECT_EQ(plan_routes({}, kOurs, wanted, {present("10.0.0.0/24", kOurs, 5)}).routes.size(), 1u);
}

TEST(QuickRoutes, ANamedTableMayHaveTheRouteAlready) {
  const auto wanted = prefixes({"10.0.0.0/24", "10.0.0.0/16"});
  const TableChoice main{Kind::number, RT_TABLE_MAIN};
  EXPECT_THAT(destinations(plan_routes(main, kOurs, wanted, {present("10.0.0.0/24")})),
              ElementsAre("10.0.0.0/16"));
  EXPECT_EQ(plan_routes(main, kOurs, wanted, {present("10.0.0.0/24", kOther)}).routes.size(), 2u);
  EXPECT_EQ(plan_routes(main, kOurs, wanted, {present("10.0.0.0/24", kOurs, 5)}).routes.size(), 2u);
}

TEST(QuickRoutes, AllOfAFamilyGoesByPolicy) {
  const auto plan = plan_routes({}, kOurs, prefixes({"0.0.0.0/0", "::/0", "10.0.0.0/8"}), {});
  EXPECT_THAT(destinations(plan), ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(plan.defaults, ElementsAre(Family::v6, Family::v4));
}

TEST(QuickRoutes, ANamedTableTakesAllOfThem) {
  const auto plan = plan_routes({Kind::number, 1234}, kOurs, prefixes({"0.0.0.0/0", "10.0.0.0/8"}),
                                {present("10.0.0.0/8")});
  EXPECT_THAT(destinations(plan), ElementsAre("10.0.0.0/8", "0.0.0.0/0"));
  EXPECT_EQ(plan.routes[0].table, 1234u);
  EXPECT_THAT(plan.defaults, IsEmpty());
}

TEST(QuickRoutes, OffIsNone) {
  const auto plan = plan_routes({Kind::off, 0}, kOurs, prefixes({"0.0.0.0/0", "10.0.0.0/8"}), {});
  EXPECT_THAT(plan.routes, IsEmpty());
  EXPECT_THAT(plan.defaults, IsEmpty());
}

constexpr io::RoutingRule shared(std::uint32_t priority) {
  return {Family::v4, {}, false, RT_TABLE_MAIN, 0, priority};
}
constexpr io::RoutingRule tunnel(std::uint32_t mark, std::uint32_t priority) {
  return {Family::v4, mark, true, mark, {}, priority};
}

TEST(QuickRules, WithATunnelGoesTheRuleBeforeIt) {
  EXPECT_THAT(rules_to_delete({shared(4), tunnel(51820, 5)}, 51820),
              ElementsAre(tunnel(51820, 5), shared(4)));
}

TEST(QuickRules, OtherTunnelsKeepTheirs) {
  const std::vector rules{shared(2), tunnel(51821, 3), shared(4), tunnel(51820, 5)};
  EXPECT_THAT(rules_to_delete(rules, 51820), ElementsAre(tunnel(51820, 5), shared(4)));
  EXPECT_THAT(rules_to_delete(rules, 51821), ElementsAre(tunnel(51821, 3), shared(2)));
}

TEST(QuickRules, ATunnelWithoutItsOwnTakesNoOther) {
  const std::vector rules{shared(2), tunnel(51821, 3), tunnel(51820, 5), shared(6)};
  EXPECT_THAT(rules_to_delete(rules, 51820), ElementsAre(tunnel(51820, 5)));
}

TEST(QuickRules, RulesOfOtherKindsStay) {
  const io::RoutingRule marked{Family::v4, 51820u, false, 51820, {}, 7};
  const io::RoutingRule elsewhere{Family::v4, 51820u, true, 5, {}, 8};
  EXPECT_THAT(rules_to_delete({marked, elsewhere}, 51820), IsEmpty());
}

}  // namespace
}  // namespace ferrule::quick
