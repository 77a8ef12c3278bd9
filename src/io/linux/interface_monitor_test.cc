// News from the kernel, and questions to it.
#include "io/linux/interface_monitor.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>

#include <algorithm>

#include "io/linux/kernel_query.h"
#include "io/linux/namespace_testing.h"
#include "io/linux/tun.h"

namespace ferrule::io {
namespace {

class Netlink : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    space_ = TestNamespace::make(why_not);
    if (space_ == nullptr) GTEST_SKIP() << why_not;
    inside_.emplace(*space_);
  }
  // Collects news until `done` says so, two seconds at most.
  template <class Done>
  static NetworkChanges wait(InterfaceMonitor& monitor, Done&& done) {
    NetworkChanges all;
    for (int tries = 0; tries < 20 && !done(all); ++tries) {
      pollfd readable{monitor.poll_fd(), POLLIN, 0};
      ::poll(&readable, 1, 100);
      NetworkChanges news = monitor.drain();
      all.everything |= news.everything;
      all.addresses |= news.addresses;
      all.routes |= news.routes;
      for (auto& link : news.links) all.links.push_back(std::move(link));
    }
    return all;
  }
  static const LinkChange* find(const NetworkChanges& changes, const std::string& name) {
    const auto at =
        std::ranges::find(changes.links.rbegin(), changes.links.rend(), name, &LinkChange::name);
    return at != changes.links.rend() ? &*at : nullptr;
  }
  // A wire of which 10.9.0.1 and fd09::1 are the near end.
  static void make_wire() {
    ASSERT_TRUE(
        shell("ip link add near type veth peer name far && ip link set far up && "
              "ip link set near up"));
    ASSERT_TRUE(add_address("10.9.0.1/24", "near") && add_address("fd09::1/64", "near"));
  }
  static Endpoint to(const char* address) { return {IpAddress::parse(address).value(), 51820, 0}; }
  static Source from(const char* address, const char* interface) {
    return {IpAddress::parse(address).value(), ::if_nametoindex(interface)};
  }

  std::unique_ptr<TestNamespace> space_;
  std::optional<InNamespace> inside_;
};

TEST_F(Netlink, QuietNetworkGivesNoNews) {
  auto monitor = InterfaceMonitor::open().value();
  EXPECT_FALSE(monitor.drain().any());
}

TEST_F(Netlink, P75c_ChangesOfALinkAreHeard) {
  auto monitor = InterfaceMonitor::open().value();
  ASSERT_TRUE(shell("ip link add near mtu 1300 type veth peer name far && ip link set near up"));
  auto news = wait(monitor, [](const auto& n) {
    const LinkChange* near = find(n, "near");
    return near != nullptr && near->up;
  });
  const LinkChange* near = find(news, "near");
  ASSERT_NE(near, nullptr);
  EXPECT_EQ(near->index, ::if_nametoindex("near"));
  EXPECT_EQ(near->mtu, 1300u);
  EXPECT_FALSE(near->deleted);
  EXPECT_FALSE(near->is_foreign);
  ASSERT_TRUE(shell("ip link set near mtu 1200 && ip link del near"));
  news = wait(monitor, [](const auto& n) {
    const LinkChange* link = find(n, "near");
    return link != nullptr && link->deleted;
  });
  ASSERT_NE(find(news, "near"), nullptr);
  EXPECT_TRUE(find(news, "near")->deleted);
}

TEST_F(Netlink, P75_AddressesAndRoutesThatChangeAreHeard) {
  make_wire();
  auto monitor = InterfaceMonitor::open().value();
  for (auto change : {"ip addr add 10.8.0.1/24 dev near", "ip addr del 10.8.0.1/24 dev near",
                      "ip addr add fd08::1/64 dev near nodad"}) {
    ASSERT_TRUE(shell(change));
    EXPECT_TRUE(wait(monitor, [](const auto& n) { return n.addresses; }).addresses) << change;
  }
  for (auto change : {"ip route add 10.7.0.0/24 dev near", "ip -6 route add fd07::/64 dev near",
                      "ip rule add fwmark 5 table 100", "ip -6 rule add fwmark 5 table 100"}) {
    ASSERT_TRUE(shell(change));
    EXPECT_TRUE(wait(monitor, [](const auto& n) { return n.routes; }).routes) << change;
  }
}

TEST_F(Netlink, LostNewsAreAReasonToLookAtEverything) {
  auto monitor = InterfaceMonitor::open().value();
  const int small = 1;
  ::setsockopt(monitor.poll_fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  ASSERT_TRUE(shell("for i in 1 2 3 4 5 6 7 8 9; do ip link set lo mtu 3${i}00; done"));
  EXPECT_TRUE(wait(monitor, [](const auto& n) { return n.everything; }).everything);
  EXPECT_FALSE(monitor.drain().any()) << "once";
}

TEST_F(Netlink, P75c_InterfaceThatMovedAwayIsHeardOf) {
  FERRULE_NAMESPACE_OR_SKIP(second);
  FERRULE_NAMESPACE_OR_SKIP(third);
  auto own = InterfaceMonitor::open().value();
  auto everywhere = InterfaceMonitor::open_everywhere().value();
  auto interface = TunInterface::open({.name = "inner"});
  if (!interface) GTEST_SKIP() << interface.error().what;
  const auto deleted = [](const auto& news) {
    const LinkChange* link = find(news, "inner");
    return link != nullptr && link->deleted;
  };
  const auto narrow = [](const auto& news) {
    const LinkChange* link = find(news, "inner");
    return link != nullptr && link->is_foreign && link->mtu < 1300;
  };
  ASSERT_TRUE(move_interface("inner", *second));
  EXPECT_TRUE(deleted(wait(own, deleted)));
  EXPECT_FALSE(everywhere.drain().any()) << "it doesn't listen yet";
  ASSERT_TRUE(interface->exists());
  ASSERT_TRUE(everywhere.listen());
  ASSERT_TRUE(interface->state());  // gives the namespace its number
  {
    const InNamespace inside(*second);
    ASSERT_TRUE(shell("ip link set inner mtu 1234"));
    EXPECT_TRUE(narrow(wait(everywhere, narrow)));
    ASSERT_TRUE(move_interface("inner", *third));
    EXPECT_TRUE(deleted(wait(everywhere, deleted)));
  }
  ASSERT_TRUE(interface->state());
  const InNamespace inside(*third);
  ASSERT_TRUE(shell("ip link set inner mtu 1233"));
  EXPECT_TRUE(narrow(wait(everywhere, narrow)));
}

TEST_F(Netlink, StateOfALinkIsTold) {
  auto query = KernelQuery::open().value();
  const auto lo = query.link("lo");
  ASSERT_TRUE(lo) << lo.error().what;
  EXPECT_EQ(lo->index, 1u);
  EXPECT_EQ(lo->mtu, 65536u);
  EXPECT_TRUE(lo->up);
  const auto none = query.link("no-such");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ENODEV);
  EXPECT_FALSE(query.link("a-name-that-is-too-long"));
}

TEST_F(Netlink, RouteTellsTheInterfaceByWhichPacketsLeave) {
  make_wire();
  auto query = KernelQuery::open().value();
  const auto near = ::if_nametoindex("near");
  EXPECT_EQ(query.route(to("10.9.0.2"), {}, 0).value(), near);
  EXPECT_EQ(query.route(to("fd09::2"), {}, 0).value(), near);
  EXPECT_EQ(query.route(to("127.0.0.1"), {}, 0).value(), 1u);
  for (auto unreachable : {"192.0.2.1", "2001:db8::1"}) {
    const auto route = query.route(to(unreachable), {}, 0);
    ASSERT_FALSE(route);
    EXPECT_EQ(route.error().code, ENETUNREACH);
  }
  EXPECT_FALSE(query.route({}, {}, 0));
}

TEST_F(Netlink, RouteFollowsTheMark) {
  make_wire();
  ASSERT_TRUE(shell("ip route add 10.9.0.2 dev lo table 100 && ip rule add fwmark 5 table 100"));
  auto query = KernelQuery::open().value();
  EXPECT_EQ(query.route(to("10.9.0.2"), {}, 0).value(), ::if_nametoindex("near"));
  EXPECT_EQ(query.route(to("10.9.0.2"), {}, 5).value(), 1u);
}

TEST_F(Netlink, P75_AnAddressHasAnOwnerWhileItIsOfThisMachine) {
  make_wire();
  auto query = KernelQuery::open().value();
  for (auto own : {"10.9.0.1", "fd09::1"}) {
    EXPECT_EQ(query.owner(from(own, "far")), ::if_nametoindex("near")) << own;
    ASSERT_TRUE(shell(std::string("ip addr flush dev near to ") + own));
    EXPECT_FALSE(query.owner(from(own, "near"))) << own;
  }
}

TEST_F(Netlink, P75_AddressesOfALocalRouteAreOwnOnes) {
  ASSERT_TRUE(
      shell("ip route add local 10.5.0.0/16 dev lo && "
            "ip -6 route add local fd05::/64 dev lo"));
  auto query = KernelQuery::open().value();
  for (auto own : {"10.5.1.1", "fd05::7"}) EXPECT_EQ(query.owner(from(own, "lo")), 1u) << own;
}

TEST_F(Netlink, P75_TheWayOutFollowsTheRoutes) {
  make_wire();
  ASSERT_TRUE(shell("ip link add other type veth peer name beyond && ip link set other up"));
  ASSERT_TRUE(add_address("10.8.0.1/24", "other") && add_address("fd08::1/64", "other"));
  ASSERT_TRUE(shell("ip route add 10.7.0.0/16 via 10.9.0.2 && ip route add fd07::/64 via fd09::2"));
  auto query = KernelQuery::open().value();
  for (auto peer : {"10.9.0.2", "10.7.0.2"}) {
    EXPECT_EQ(query.way_out(to(peer), from("10.9.0.1", "near"), 0), WayOut::chosen) << peer;
    EXPECT_EQ(query.way_out(to(peer), from("10.8.0.1", "other"), 0), WayOut::other) << peer;
  }
  for (auto peer : {"fd09::2", "fd07::2"}) {
    EXPECT_EQ(query.way_out(to(peer), from("fd09::1", "near"), 0), WayOut::chosen) << peer;
    EXPECT_EQ(query.way_out(to(peer), from("fd08::1", "other"), 0), WayOut::other) << peer;
  }
  EXPECT_EQ(query.way_out(to("10.1.1.1"), from("10.8.0.1", "other"), 0), WayOut::nowhere);
  // A second way that the first one is preferred to is one all the same.
  ASSERT_TRUE(
      shell("ip route add 10.7.0.0/16 via 10.8.0.2 metric 500 && "
            "ip route add fd07::/64 via fd08::2 metric 5000"));
  EXPECT_EQ(query.way_out(to("10.7.0.2"), from("10.8.0.1", "other"), 0), WayOut::possible);
  EXPECT_EQ(query.way_out(to("fd07::2"), from("fd08::1", "other"), 0), WayOut::other)
      << "IPv6 takes the better one, whatever interface is asked for";
  // And so is the first one, once there is a better one.
  ASSERT_TRUE(shell("ip route add 10.7.0.2 via 10.8.0.2 && ip route add fd07::2 via fd08::2"));
  EXPECT_EQ(query.way_out(to("10.7.0.2"), from("10.9.0.1", "near"), 0), WayOut::possible);
  EXPECT_EQ(query.way_out(to("fd07::2"), from("fd08::1", "other"), 0), WayOut::chosen);
}

TEST_F(Netlink, P75_AWayIsRememberedUntilItIsForgotten) {
  make_wire();
  ASSERT_TRUE(shell("ip link add other type veth peer name beyond && ip link set other up"));
  ASSERT_TRUE(add_address("10.8.0.1/24", "other"));
  ASSERT_TRUE(
      shell("ip route add 10.7.0.0/16 via 10.9.0.2 && "
            "ip route add 10.7.0.0/16 via 10.8.0.2 metric 500"));
  auto query = KernelQuery::open().value();
  const Source source = from("10.8.0.1", "other");
  ASSERT_EQ(query.way_out(to("10.7.0.2"), source, 0), WayOut::possible);
  ASSERT_TRUE(shell("ip route del 10.7.0.0/16 metric 500"));
  EXPECT_EQ(query.way_out(to("10.7.255.3"), source, 0), WayOut::possible)
      << "the same route led there";
  EXPECT_EQ(query.way_out(to("10.6.0.2"), source, 0), WayOut::nowhere);
  EXPECT_EQ(query.way_out(to("10.7.0.2"), source, 7), WayOut::other)
      << "another mark, another route";
  query.forget_way();
  EXPECT_EQ(query.way_out(to("10.7.0.2"), source, 0), WayOut::other);
}

TEST_F(Netlink, P75_LinkLocalSourceBelongsToItsInterface) {
  make_wire();
  ASSERT_TRUE(add_address("fe80::77/64", "near"));
  auto query = KernelQuery::open().value();
  Endpoint peer = to("fe80::78");
  peer.scope_id = ::if_nametoindex("near");
  EXPECT_EQ(query.owner(from("fe80::77", "near")), ::if_nametoindex("near"));
  EXPECT_EQ(query.way_out(peer, from("fe80::77", "near"), 0), WayOut::chosen);
  EXPECT_FALSE(query.owner(from("fe80::77", "far")));
}

TEST_F(Netlink, ARouteSaysWhichPrefixDecidesAndWhatItsMtuIs) {
  make_wire();
  ASSERT_TRUE(shell("ip route add 10.8.0.0/16 via 10.9.0.2 mtu 1300"));
  auto query = KernelQuery::open().value();
  const auto direct = query.find_route(IpAddress::parse("10.9.0.7").value(), 0);
  ASSERT_TRUE(direct);
  EXPECT_EQ(direct->interface_index, ::if_nametoindex("near"));
  EXPECT_EQ(direct->prefix_length, 24u);
  EXPECT_FALSE(direct->mtu_bytes);
  const auto beyond = query.find_route(IpAddress::parse("10.8.1.1").value(), 0);
  ASSERT_TRUE(beyond);
  EXPECT_EQ(beyond->prefix_length, 16u);
  EXPECT_EQ(beyond->mtu_bytes, 1300u);
  EXPECT_FALSE(query.find_route(IpAddress::parse("10.7.0.1").value(), 0));
}

TEST_F(Netlink, ALinkIsFoundByItsIndexToo) {
  make_wire();
  auto query = KernelQuery::open().value();
  const auto link = query.link(::if_nametoindex("near"));
  ASSERT_TRUE(link);
  EXPECT_EQ(link->name, "near");
  EXPECT_EQ(link->mtu, 1500u);
}

}  // namespace
}  // namespace ferrule::io
