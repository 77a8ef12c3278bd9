#include "quick/dry_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <string>
#include <utility>

namespace ferrule::quick {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

io::LinkAddress address(const char* text, unsigned length) {
  return {*IpAddress::parse(text), length};
}

io::LinkRoute route(const char* to, bool is_kernels = false) {
  return {*Cidr::parse(to), RT_TABLE_MAIN, 7, is_kernels};
}

TEST(DryRun, APrefixOfTwoPeersIsRoutedOnce) {
  protocol::DeviceChange change;
  change.fwmark = 5;
  for (int i = 0; i < 2; ++i) {
    change.peers.emplace_back().allowed_ips.push_back({*Cidr::parse("10.1.0.0/16"), false});
  }
  const auto status = status_after(change);
  EXPECT_EQ(status.fwmark, 5u);
  EXPECT_THAT(status.peers[0].allowed_ips, ElementsAre(*Cidr::parse("10.1.0.0/16")));
  EXPECT_THAT(status.peers[1].allowed_ips, IsEmpty());
}

TEST(DryRun, TheKernelMakesRoutesForNetworks) {
  EXPECT_THAT(routes_of_kernel(
                  {address("10.0.0.1", 24), address("10.9.0.1", 32), address("fd00::1", 128)}, 7),
              ElementsAre(route("10.0.0.0/24", true), route("fd00::1/128", true)));
}

TEST(DryRun, WithTheFirstAddressOfANetworkGoTheOthers) {
  const auto first = address("10.0.0.1", 24);
  const auto second = address("10.0.0.2", 24);
  const auto other = address("10.0.0.3", 25);
  EXPECT_THAT(addresses_after({first, second, other}, {first}, false), ElementsAre(other));
  EXPECT_THAT(addresses_after({first, second, other}, {first}, true), ElementsAre(second, other));
  EXPECT_THAT(addresses_after({first, second}, {second}, false), ElementsAre(first));
}

TEST(DryRun, IPv6HasNoFirstAddress) {
  const auto first = address("fd00::1", 64);
  const auto second = address("fd00::2", 64);
  EXPECT_THAT(addresses_after({first, second}, {first}, false), ElementsAre(second));
}

TEST(DryRun, RoutesOfAddressesComeAndGo) {
  EXPECT_THAT(routes_after({route("10.0.0.0/24", true), route("10.5.0.0/16")},
                           {address("10.0.0.1", 24)}, {address("10.1.0.1", 24)}, 7),
              UnorderedElementsAre(route("10.1.0.0/24", true), route("10.5.0.0/16")));
}

TEST(DryRun, WithTheLastAddressRoutesOfIPv4Go) {
  EXPECT_THAT(routes_after({route("10.5.0.0/16"), route("fd05::/64")}, {address("10.0.0.1", 24)},
                           {address("fd00::1", 128)}, 7),
              UnorderedElementsAre(route("fd00::1/128", true), route("fd05::/64")));
}

}  // namespace
}  // namespace ferrule::quick
