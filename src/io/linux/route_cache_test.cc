#include "io/linux/route_cache.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <string>

#include "io/linux/namespace_testing.h"

namespace ferrule::io {
namespace {

Endpoint to(std::string_view address) { return {*IpAddress::parse(address), 51820, 0}; }

Source from(std::string_view address, const char* interface) {
  return {*IpAddress::parse(address), ::if_nametoindex(interface)};
}

// Two links, and a network behind the first: 10.9.0.1 at `near`, 10.8.0.1 at `other`, 10.7.0.0/16.
class RouteCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    space_ = TestNamespace::make(why_not);
    if (space_ == nullptr) GTEST_SKIP() << why_not;
    inside_.emplace(*space_);
    ASSERT_TRUE(shell(
        "ip link add near type veth peer name far && ip link set near up && ip link set far up && "
        "ip link add other type veth peer name beyond && ip link set other up && "
        "ip link set beyond up"));
    ASSERT_TRUE(add_address("10.9.0.1/24", "near") && add_address("10.8.0.1/24", "other"));
    ASSERT_TRUE(shell("ip route add 10.7.0.0/16 via 10.9.0.2"));
    kernel_.emplace(KernelQuery::open().value());
  }
  WayOut way_to(std::string_view address, std::uint32_t mark = 0) {
    return cache_.way_out(*kernel_, to(address), from("10.9.0.1", "near"), mark);
  }
  void forget() {
    kernel_->forget_way();
    cache_.forget();
  }
  // Behind the cache's back: the way to all of 10.7.0.0/16 leads elsewhere.
  void move_route() { ASSERT_TRUE(shell("ip route replace 10.7.0.0/16 via 10.8.0.2")); }

  std::unique_ptr<TestNamespace> space_;
  std::optional<InNamespace> inside_;
  std::optional<KernelQuery> kernel_;
  RouteCache cache_;
};

TEST_F(RouteCacheTest, P75_OneAnswerServesAPrefixUntilItIsForgotten) {
  EXPECT_EQ(way_to("10.7.0.2"), WayOut::chosen);
  move_route();
  EXPECT_EQ(way_to("10.7.200.3"), WayOut::chosen);
  EXPECT_EQ(way_to("10.7.200.3", 5), WayOut::other) << "another mark is another question";
  forget();
  EXPECT_EQ(way_to("10.7.200.3"), WayOut::other);
}

TEST_F(RouteCacheTest, P75_ARouteWithinAnotherIsTwoAnswers) {
  ASSERT_TRUE(shell("ip route add 10.7.9.0/24 via 10.8.0.2"));
  EXPECT_EQ(way_to("10.7.0.2"), WayOut::chosen);
  EXPECT_EQ(way_to("10.7.9.2"), WayOut::possible);
  EXPECT_EQ(way_to("10.7.10.2"), WayOut::chosen);
}

TEST_F(RouteCacheTest, P75_ARuleForADestinationIsAnAnswerOfItsOwn) {
  ASSERT_TRUE(
      shell("ip route add 10.7.0.0/16 via 10.8.0.2 table 100 && "
            "ip rule add to 10.7.4.0/22 table 100"));
  EXPECT_EQ(way_to("10.7.0.2"), WayOut::chosen);
  EXPECT_EQ(way_to("10.7.5.2"), WayOut::possible);
}

TEST_F(RouteCacheTest, P75_WhereARouteHasSeveralWaysNothingIsRemembered) {
  ASSERT_TRUE(shell("ip route add 10.6.0.0/16 nexthop via 10.9.0.2 nexthop via 10.8.0.2"));
  EXPECT_EQ(way_to("10.7.0.2"), WayOut::chosen);
  move_route();
  EXPECT_EQ(way_to("10.7.0.2"), WayOut::other);
}

TEST_F(RouteCacheTest, P75_WhereThereAreVeryManyRoutesNothingIsRemembered) {
  ASSERT_TRUE(
      shell("for a in 1 2 3 4 5; do for i in $(seq 250); do "
            "echo route add 11.$a.$i.0/24 via 10.9.0.2; done; done | ip -batch -"));
  EXPECT_EQ(way_to("10.7.0.2"), WayOut::chosen);
  move_route();
  EXPECT_EQ(way_to("10.7.0.2"), WayOut::other);
}

TEST_F(RouteCacheTest, P75_WhoseAnAddressIsIsAskedOnce) {
  const std::optional<std::uint32_t> near = ::if_nametoindex("near");
  EXPECT_EQ(cache_.owner(*kernel_, from("10.9.0.1", "near")), near);
  ASSERT_TRUE(shell("ip addr flush dev near"));
  EXPECT_EQ(cache_.owner(*kernel_, from("10.9.0.1", "other")), near) << "it is the same address";
  EXPECT_EQ(cache_.owner(*kernel_, from("10.9.0.7", "near")), std::nullopt);
  forget();
  EXPECT_EQ(cache_.owner(*kernel_, from("10.9.0.1", "near")), std::nullopt);
}

TEST_F(RouteCacheTest, P75_ALinkLocalAddressIsAskedAboutAtEachInterface) {
  ASSERT_TRUE(add_address("fe80::77/64", "near"));
  EXPECT_EQ(cache_.owner(*kernel_, from("fe80::77", "near")), ::if_nametoindex("near"));
  EXPECT_EQ(cache_.owner(*kernel_, from("fe80::77", "other")), std::nullopt);
}

}  // namespace
}  // namespace ferrule::io
