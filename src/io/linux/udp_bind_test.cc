// Sockets that are bound to own addresses, or to an interface, alone (P75d).
#include <gtest/gtest.h>
#include <net/if.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "io/datagrams_testing.h"
#include "io/linux/namespace_testing.h"
#include "io/linux/udp.h"

namespace ferrule::io {
namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

UdpOptions at(LocalAddresses only, std::uint16_t port = 0, std::uint32_t interface_index = 0) {
  UdpOptions options;
  options.at = {port, only, interface_index};
  return options;
}

constexpr std::uint32_t kLoopback = 1;

class BoundUdp : public ::testing::Test {
 protected:
  void SetUp() override {
    space_ = TestNamespace::make(why_not_);
    if (!space_) GTEST_SKIP() << why_not_;
    inside_.emplace(*space_);
    for (auto address : {"10.9.0.1/32", "10.9.0.2/32", "fd09::1/128", "fd09::2/128"}) {
      ASSERT_TRUE(add_address(address, "lo"));
    }
  }
  std::string why_not_;
  std::unique_ptr<TestNamespace> space_;
  std::optional<InNamespace> inside_;
};

TEST_F(BoundUdp, P75d_NothingComesByAnotherAddress) {
  auto udp = LinuxUdp::open(at({ip("10.9.0.1"), ip("fd09::1")})).value();
  auto client = LinuxUdp::open({}).value();
  for (auto address : {"10.9.0.1", "10.9.0.2", "127.0.0.1", "fd09::1", "fd09::2", "::1"}) {
    Entry entry(pattern(10), endpoint(address, udp->port()));
    send(*client, entry.outgoing);
  }
  const auto got = receive(*udp, 2);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_TRUE(receive(*udp, 0).empty());
}

TEST_F(BoundUdp, P75d_NothingLeavesFromAnotherAddress) {
  auto udp = LinuxUdp::open(at({ip("10.9.0.1"), ip("fd09::1")})).value();
  auto peer = LinuxUdp::open({}).value();
  for (auto [to, from, bound] :
       {std::tuple("127.0.0.1", "10.9.0.2", "10.9.0.1"), std::tuple("::1", "fd09::2", "fd09::1")}) {
    for (const Source& source : {Source{}, Source{ip(from), kLoopback}, Source{ip(bound), 0}}) {
      Entry entry(pattern(10), endpoint(to, peer->port()));
      entry.outgoing.from = source;
      ASSERT_EQ(send(*udp, entry.outgoing), 1u);
      const auto got = receive(*peer, 1);
      ASSERT_EQ(got.size(), 1u);
      EXPECT_EQ(got[0].from.address, ip(bound));
    }
  }
}

TEST_F(BoundUdp, P75d_NothingLeavesFromAnAddressThatIsGone) {
  auto udp = LinuxUdp::open(at({ip("10.9.0.1"), {}})).value();
  ASSERT_TRUE(shell("ip addr del 10.9.0.1/32 dev lo"));
  Entry entry(pattern(10), endpoint("127.0.0.1", 9));
  EXPECT_EQ(send(*udp, entry.outgoing), 0u);
}

TEST_F(BoundUdp, P75d_AFamilyWithoutAnAddressHasNoSocket) {
  for (auto [address, has, lacks] :
       {std::tuple(LocalAddresses{ip("10.9.0.1"), {}}, Family::v4, Family::v6),
        std::tuple(LocalAddresses{{}, ip("fd09::1")}, Family::v6, Family::v4)}) {
    const auto group = LinuxUdp::open_group(at(address), 2).value();
    ASSERT_NE(group.handshakes, nullptr);
    EXPECT_NE(group.guard, nullptr);
    EXPECT_NE(group.lanes[1]->poll_fd(has), -1);
    EXPECT_EQ(group.lanes[1]->poll_fd(lacks), -1);
    EXPECT_NE(group.lanes[0]->port(), 0);
    EXPECT_TRUE(group.lanes[0]->receive({}).has_value());
  }
}

TEST_F(BoundUdp, P75d_AnAddressOfNobodyIsAnError) {
  EXPECT_EQ(LinuxUdp::open(at({ip("10.9.0.7"), {}})).error().code, EADDRNOTAVAIL);
  EXPECT_EQ(LinuxUdp::open(at({{}, ip("fd09::7")})).error().code, EADDRNOTAVAIL);
  EXPECT_TRUE(can_bind_to(ip("10.9.0.1"), 0) && can_bind_to(ip("fd09::1"), kLoopback));
  EXPECT_FALSE(can_bind_to(ip("10.9.0.7"), 0) || can_bind_to(ip("fd09::7"), 0));
}

// Several tunnels of one machine at one port, an address each.
TEST_F(BoundUdp, P75d_APortIsSharedByGroupsOfOtherAddressesAndByNoneOfTheSame) {
  const auto first = LinuxUdp::open_group(at({ip("10.9.0.1"), ip("fd09::1")}, 7000), 2).value();
  const auto second = LinuxUdp::open_group(at({ip("10.9.0.2"), ip("fd09::2")}, 7000), 2);
  ASSERT_TRUE(second) << second.error().what;
  ASSERT_TRUE(first.guard && second->guard);
  for (const LocalAddresses& taken :
       {LocalAddresses{ip("10.9.0.1"), {}}, LocalAddresses{{}, ip("fd09::2")}, LocalAddresses{}}) {
    EXPECT_EQ(LinuxUdp::open_group(at(taken, 7000), 1).error().code, EADDRINUSE);
  }
}

TEST_F(BoundUdp, P75d_AHeldPortIsOpenedAgainAtAnotherPlace) {
  auto everywhere = LinuxUdp::open_group(at({}, 7000), 2).value();
  everywhere.lanes.clear();
  everywhere.handshakes.reset();
  UdpOptions options = at({ip("10.9.0.1"), {}}, 7000);
  options.held = everywhere.guard.get();
  const auto one = LinuxUdp::open_group(options, 2);
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_NE(one->guard, nullptr);
}

TEST_F(BoundUdp, P75d_OfAnInterfaceWhatComesByOthersIsNotTaken) {
  ASSERT_TRUE(
      shell("ip link add one type veth peer name two && ip link set one up && "
            "ip addr add 10.8.0.1/24 dev one"));
  const std::uint32_t one = if_nametoindex("one");
  auto udp = LinuxUdp::open(at({}, 0, one));
  if (!udp) GTEST_SKIP() << udp.error().what;
  auto local = LinuxUdp::open({}).value();
  Entry here(pattern(10), endpoint("10.9.0.1", (*udp)->port()));
  send(*local, here.outgoing);  // by loopback, whose address that is
  EXPECT_TRUE(receive(**udp, 0).empty());
  // Its own source's interface does not overrule that.
  Entry out(pattern(10), endpoint("127.0.0.1", local->port()));
  out.outgoing.from = {ip("127.0.0.1"), kLoopback};
  send(**udp, out.outgoing);
  EXPECT_TRUE(receive(*local, 0).empty());
}

TEST_F(BoundUdp, P75d_GroupsOfTwoInterfacesShareAPort) {
  ASSERT_TRUE(shell("ip link add one type veth peer name two"));
  const auto first = LinuxUdp::open_group(at({}, 7000, if_nametoindex("one")), 1);
  if (!first) GTEST_SKIP() << first.error().what;
  const auto second = LinuxUdp::open_group(at({}, 7000, if_nametoindex("two")), 1);
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_TRUE(first->guard && second->guard);
  EXPECT_FALSE(LinuxUdp::open_group(at({}, 7000), 1));
}

}  // namespace
}  // namespace ferrule::io
