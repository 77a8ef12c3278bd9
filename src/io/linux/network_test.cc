#include "io/linux/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/linux/kernel_query.h"
#include "io/linux/namespace_testing.h"

namespace ferrule::io {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

LinkAddress address(const char* text, unsigned prefix_length) {
  return {*IpAddress::parse(text), prefix_length};
}

// A fresh namespace with one end of a cable, up and without addresses.
class NetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    FERRULE_NAMESPACE_OR_SKIP(space);
    space_ = std::move(space);
    inside_ = std::make_unique<InNamespace>(*space_);
    ASSERT_TRUE(
        shell("ip link add w0 mtu 1400 type veth peer name w1 && ip link set w1 up && "
              "sysctl -qw net.ipv6.conf.all.accept_dad=0 && ip link set w0 up"));
    network_.emplace(*Network::open());
    index_ = KernelQuery::open()->link("w0")->index;
  }

  LinkRoute route(const char* destination, std::uint32_t table = RT_TABLE_MAIN) const {
    return {*Cidr::parse(destination), table, index_};
  }

  std::unique_ptr<TestNamespace> space_;
  std::unique_ptr<InNamespace> inside_;
  std::optional<Network> network_;
  std::uint32_t index_ = 0;
};

TEST_F(NetworkTest, AddressesComeAndGo) {
  for (const LinkAddress& one : {address("10.0.0.1", 24), address("fd00::1", 64)}) {
    ASSERT_TRUE(network_->add_address(index_, one));
    EXPECT_THAT(*network_->addresses(index_), Contains(one));
    EXPECT_EQ(network_->add_address(index_, one).error().code, EEXIST);
    ASSERT_TRUE(network_->delete_address(index_, one));
    EXPECT_THAT(*network_->addresses(index_), Not(Contains(one)));
    EXPECT_EQ(network_->delete_address(index_, one).error().code, EADDRNOTAVAIL);
  }
}

TEST_F(NetworkTest, RoutesComeAndGo) {
  for (const LinkRoute& one : {route("10.1.0.0/16"), route("0.0.0.0/0", 51820), route("fd01::/16"),
                               route("::/0", 51820)}) {
    const Family family = one.destination.address().family();
    ASSERT_TRUE(network_->add_route(one)) << one.destination.to_string();
    EXPECT_THAT(*network_->routes(family), Contains(one));
    EXPECT_EQ(network_->add_route(one).error().code, EEXIST);
    ASSERT_TRUE(network_->delete_route(one));
    EXPECT_THAT(*network_->routes(family), Not(Contains(one)));
  }
}

TEST_F(NetworkTest, RoutesOfTheKernelAreTold) {
  ASSERT_TRUE(network_->add_address(index_, address("10.0.0.1", 24)));
  LinkRoute kernels = route("10.0.0.0/24");
  kernels.is_kernels = true;
  EXPECT_THAT(*network_->routes(Family::v4), ElementsAre(kernels));
}

TEST_F(NetworkTest, ATableIsInUseWhileItHasARoute) {
  EXPECT_FALSE(*network_->has_routes(51820));
  ASSERT_TRUE(shell("ip -6 route add unreachable default table 51820"));
  EXPECT_TRUE(*network_->has_routes(51820));
}

// A tunnel's rule, and the one that goes before it.
std::array<RoutingRule, 2> rules_of(Family family) {
  return {RoutingRule{family, 51820u, true, 51820, {}, {}},
          RoutingRule{family, {}, false, RT_TABLE_MAIN, 0, {}}};
}

RoutingRule at(std::uint32_t priority, RoutingRule rule) {
  rule.priority = priority;
  return rule;
}

TEST_F(NetworkTest, RulesComeAndGo) {
  for (const Family family : {Family::v4, Family::v6}) {
    const std::vector<RoutingRule> before = *network_->rules(family);
    for (const RoutingRule& one : rules_of(family)) {
      ASSERT_TRUE(network_->add_rule(one));
      EXPECT_THAT(*network_->rules(family), Contains(at(32765, one)));
      ASSERT_TRUE(network_->delete_rule(one));
      EXPECT_EQ(*network_->rules(family), before);
      EXPECT_EQ(network_->delete_rule(one).error().code, ENOENT);
    }
  }
}

TEST_F(NetworkTest, RulesComeAndGoWhereTheyAreWanted) {
  for (const Family family : {Family::v4, Family::v6}) {
    for (const RoutingRule& one : rules_of(family)) {
      ASSERT_TRUE(network_->add_rule(at(100, one)));
      ASSERT_TRUE(network_->add_rule(at(200, one)));
      EXPECT_EQ(network_->add_rule(at(200, one)).error().code, EEXIST);
      ASSERT_TRUE(network_->delete_rule(at(200, one)));
      EXPECT_EQ(network_->delete_rule(at(200, one)).error().code, ENOENT);
      EXPECT_THAT(*network_->rules(family), Contains(at(100, one)));
      ASSERT_TRUE(network_->delete_rule(at(100, one)));
    }
  }
}

TEST_F(NetworkTest, RulesThatChooseByMoreAreNotTold) {
  const std::vector<RoutingRule> before = *network_->rules(Family::v4);
  for (const char* more : {"from 10.0.0.0/8", "to 10.0.0.0/8", "iif lo", "oif w0", "tos 4"}) {
    ASSERT_TRUE(shell("ip rule add table main suppress_prefixlength 0 " + std::string(more)));
  }
  EXPECT_EQ(*network_->rules(Family::v4), before);
}

TEST_F(NetworkTest, APathHasTheMtuOfItsInterfaceOrItsRoute) {
  const Endpoint there{*IpAddress::parse("10.1.0.1"), 51820};
  EXPECT_EQ(network_->path(there, 0).error().code, ENETUNREACH);
  ASSERT_TRUE(network_->add_route(route("10.1.0.0/16")));
  EXPECT_EQ(network_->path(there, 0)->interface_index, index_);
  EXPECT_EQ(network_->path(there, 0)->mtu_bytes, 1400u);
  ASSERT_TRUE(shell("ip route add 10.1.0.1 dev w0 mtu 1300"));
  EXPECT_EQ(network_->path(there, 0)->mtu_bytes, 1300u);
}

TEST_F(NetworkTest, TheDefaultPathIsThatOfTheMainTable) {
  ASSERT_TRUE(shell("ip route add default dev w0 table 5"));
  EXPECT_EQ(network_->default_path().error().code, ENETUNREACH);
  ASSERT_TRUE(shell("ip route add default dev w0"));
  EXPECT_EQ(network_->default_path()->mtu_bytes, 1400u);
}

TEST_F(NetworkTest, LinksAreSetUpAndDeleted) {
  ASSERT_TRUE(shell("ip link set w0 down"));
  ASSERT_TRUE(network_->set_up(index_, 1333));
  const auto link = KernelQuery::open()->link("w0");
  EXPECT_TRUE(link->up);
  EXPECT_EQ(link->mtu, 1333u);
  ASSERT_TRUE(network_->delete_link(index_));
  EXPECT_EQ(network_->delete_link(index_).error().code, ENODEV);
}

TEST_F(NetworkTest, AKindOfLinkThatTheKernelDoesNotKnowIsRefused) {
  EXPECT_EQ(network_->add_link("c", "nosuchkind").error().code, EOPNOTSUPP);
}

}  // namespace
}  // namespace ferrule::io
