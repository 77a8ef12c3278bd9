// The outer door on Linux: ports, options and what leaves on the wire.
#include "io/linux/udp.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <set>
#include <thread>

#include "io/datagrams_testing.h"
#include "io/linux/limits.h"
#include "io/linux/namespace_testing.h"

namespace ferrule::io {
namespace {

constexpr std::uint8_t kDataType = 4;

UniqueFd bind_v6(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// From here on, in this thread, calls of `number` whose argument `index` is `value` fail with `error`.
bool refuse_calls(unsigned number, unsigned index, unsigned value, int error) {
  const unsigned argument = static_cast<unsigned>(offsetof(seccomp_data, args)) + 8 * index;
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Opens a pair in a thread to which the kernel says that it has no IPv6.
void expect_v4_only(unsigned call, unsigned index, unsigned value, int error) {
  std::thread([&] {
    if (!refuse_calls(call, index, value, error)) GTEST_SKIP() << "no seccomp";
    auto a = LinuxUdp::open({});
    ASSERT_TRUE(a) << a.error().what;
    EXPECT_EQ((*a)->poll_fd(Family::v6), -1);
    Entry six(pattern(10), endpoint("::1", 9));
    EXPECT_EQ(send(**a, six.outgoing), 0u);
    Entry four(pattern(10), endpoint("127.0.0.1", (*a)->port()));
    EXPECT_EQ(send(**a, four.outgoing), 1u);
    EXPECT_EQ(receive(**a, 1).size(), 1u);
  }).join();
}

TEST(LinuxUdp, P75a_MachineWithoutIPv6WorksOnIPv4) {
  expect_v4_only(SYS_socket, 0, AF_INET6, EAFNOSUPPORT);
}

TEST(LinuxUdp, P75a_MachineWithIPv6DisabledWorksOnIPv4) {
  expect_v4_only(SYS_bind, 2, sizeof(sockaddr_in6), EADDRNOTAVAIL);
}

TEST(LinuxUdp, P75a_PortThatIPv6CannotHaveIsChosenAnew) {
  FERRULE_NAMESPACE_OR_SKIP(space);
  const InNamespace inside(*space);
  ASSERT_TRUE(shell("echo 50000 50003 > /proc/sys/net/ipv4/ip_local_port_range"));
  const UniqueFd taken[] = {bind_v6(50000), bind_v6(50001), bind_v6(50002)};
  auto udp = LinuxUdp::open({});
  ASSERT_TRUE(udp) << udp.error().what;
  EXPECT_EQ((*udp)->port(), 50003);
  EXPECT_NE((*udp)->poll_fd(Family::v6), -1);
}

TEST(LinuxUdp, P75a_WhenNoPortServesBothFamiliesItIsAnError) {
  FERRULE_NAMESPACE_OR_SKIP(space);
  const InNamespace inside(*space);
  ASSERT_TRUE(shell("echo 50000 50001 > /proc/sys/net/ipv4/ip_local_port_range"));
  const UniqueFd taken[] = {bind_v6(50000), bind_v6(50001)};
  auto udp = LinuxUdp::open({});
  ASSERT_FALSE(udp);
  EXPECT_EQ(udp.error().code, EADDRINUSE);
}

TEST(LinuxUdp, P75a_RequestedPortIsNotExchangedForAnother) {
  auto first = LinuxUdp::open({}).value();
  UdpOptions same;
  same.at.port = first->port();
  auto second = LinuxUdp::open(same);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_NE(second.error().what.find(std::to_string(same.at.port)), std::string::npos);
}

TEST(LinuxUdp, PortOfLanesIsRefusedToAnotherDaemon) {
  const auto group = LinuxUdp::open_group({}, 1).value();
  UdpOptions same;
  same.at.port = group.lanes[0]->port();
  auto other = LinuxUdp::open(same);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, EADDRINUSE);
}

TEST(LinuxUdp, P77_DatagramsOfOneSenderComeToOneLaneInOrder) {
  auto group = LinuxUdp::open_group({}, 3).value();
  const auto& lanes = group.lanes;
  ASSERT_EQ(lanes.size(), 3u);
  std::set<std::size_t> used;
  for (int sender = 0; sender < 20; ++sender) {
    auto from = LinuxUdp::open({}).value();
    for (std::size_t i = 1; i <= 10; ++i) {
      Entry entry(pattern(i, kDataType),
                  endpoint(sender % 2 ? "127.0.0.1" : "::1", lanes[0]->port()));
      ASSERT_EQ(send(*from, entry.outgoing), 1u);
    }
    std::size_t lanes_hit = 0;
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      Slots slots(16);
      std::vector<Datagram> got;
      const auto count = lanes[lane]->receive(slots.span()).value();
      for (std::size_t i = 0; i < count; ++i) cut(slots[i], got);
      if (got.empty()) continue;
      ++lanes_hit;
      used.insert(lane);
      ASSERT_EQ(got.size(), 10u);
      for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(got[i].bytes.size(), i + 1);
    }
    EXPECT_EQ(lanes_hit, 1u);
  }
  EXPECT_GT(used.size(), 1u) << "senders are spread over the lanes";
}

// How many datagrams that begin with `type` came to the lanes, and to the handshakes' socket.
std::pair<std::size_t, std::size_t> sort_by_kernel(LinuxUdp::Group& group, std::uint8_t type) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    for (int sender = 0; sender < 5; ++sender) {
      auto from = LinuxUdp::open({}).value();
      Entry entry(pattern(148, type), endpoint(address, group.lanes[0]->port()));
      EXPECT_EQ(send(*from, entry.outgoing), 1u);
    }
  }
  std::size_t to_lanes = 0;
  for (auto& lane : group.lanes) to_lanes += receive(*lane, 0).size();
  return {to_lanes, group.handshakes ? receive(*group.handshakes, 0).size() : 0};
}

TEST(LinuxUdp, HandshakeMessagesComeToASocketOfTheirOwn) {
  for (const std::size_t lanes : {1, 2, 5}) {
    auto group = LinuxUdp::open_group({}, lanes).value();
    ASSERT_TRUE(group.handshakes);
    EXPECT_EQ(group.handshakes->port(), group.lanes[0]->port());
    for (const std::uint8_t type : {1, 2, 3}) {
      EXPECT_EQ(sort_by_kernel(group, type), std::pair(0uz, 10uz)) << int{type};
    }
    for (const std::uint8_t type : {0, 4, 5, 255}) {
      EXPECT_EQ(sort_by_kernel(group, type), std::pair(10uz, 0uz)) << int{type};
    }
  }
}

TEST(LinuxUdp, AnEmptyDatagramComesToALane) {
  auto group = LinuxUdp::open_group({}, 1).value();
  auto from = LinuxUdp::open({}).value();
  Entry entry({}, endpoint("127.0.0.1", group.lanes[0]->port()));
  ASSERT_EQ(send(*from, entry.outgoing), 1u);
  EXPECT_EQ(receive(*group.lanes[0], 1).size(), 1u);
}

TEST(LinuxUdp, WhereTheKernelCannotTellThemApartLanesGetHandshakesToo) {
  UdpOptions options;
  options.calls.steer_handshakes = [](int, Family, std::size_t) { return false; };
  auto group = LinuxUdp::open_group(options, 2).value();
  EXPECT_FALSE(group.handshakes);
  EXPECT_EQ(sort_by_kernel(group, 1).first, 10u);
  EXPECT_EQ(sort_by_kernel(group, 4).first, 10u);
}

TEST(LinuxUdp, P75b_FloodOverOneFamilyDoesNotSilenceTheOther) {
  auto a = LinuxUdp::open({}).value();
  UdpOptions plain;
  plain.offload = false;  // so that the flood comes as many receives
  auto b = LinuxUdp::open(plain).value();
  for (auto [flood, lonely] : {std::pair{"::1", "127.0.0.1"}, {"127.0.0.1", "::1"}}) {
    Entry many(pattern(100), endpoint(flood, b->port()));
    std::vector<OutgoingDatagrams> batch(1000, many.outgoing);
    ASSERT_EQ(a->send(batch), 1000u);
    Entry one(pattern(50), endpoint(lonely, b->port()));
    ASSERT_EQ(send(*a, one.outgoing), 1u);
    Slots slots(8);
    ASSERT_EQ(b->receive(slots.span()).value(), 8u);
    std::size_t lonely_ones = 0;
    for (std::size_t i = 0; i < 8; ++i) lonely_ones += slots[i].size == 50;
    EXPECT_EQ(lonely_ones, 1u);
    EXPECT_EQ(receive(*b, 993).size(), 993u);
  }
}

TEST(LinuxUdp, P75b_ClosedPortOfThePeerDoesNotEndReception) {
  auto a = LinuxUdp::open({}).value();
  std::uint16_t closed;
  {
    auto gone = LinuxUdp::open({}).value();
    closed = gone->port();
  }
  for (auto address : {"127.0.0.1", "::1"}) {
    for (int i = 0; i < 5; ++i) {
      Entry unheard(pattern(10), endpoint(address, closed));
      EXPECT_EQ(send(*a, unheard.outgoing), 1u);
    }
    Entry own(pattern(20), endpoint(address, a->port()));
    EXPECT_EQ(send(*a, own.outgoing), 1u);
    EXPECT_EQ(receive(*a, 1).size(), 1u);
  }
  EXPECT_EQ(a->send_failures(), 0u);
}

TEST(LinuxUdp, P75a_ScopeIdIsKeptForLinkLocalAddressesOnly) {
  FERRULE_NAMESPACE_OR_SKIP(space);
  const InNamespace inside(*space);
  ASSERT_TRUE(
      shell("ip link add near type veth peer name far && ip link set near up && "
            "ip link set far up"));
  ASSERT_TRUE(add_address("fe80::7/64", "near") && add_address("fd00::7/64", "near"));
  auto udp = LinuxUdp::open({}).value();
  const std::uint32_t index = ::if_nametoindex("near");
  Endpoint to = endpoint("fe80::7", udp->port());
  to.scope_id = index;
  Entry link_local(pattern(10), to);
  link_local.outgoing.from = {to.address, index};
  ASSERT_EQ(send(*udp, link_local.outgoing), 1u);
  EXPECT_EQ(link_local.outgoing.refused, SourceRefusal::none);
  auto got = receive(*udp, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].from, to);
  Endpoint global = endpoint("fd00::7", udp->port());
  global.scope_id = index + 40;  // no such interface: would be refused if it went along
  Entry entry(pattern(10), global);
  ASSERT_EQ(send(*udp, entry.outgoing), 1u);
  got = receive(*udp, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].from.scope_id, 0u);
}

TEST(LinuxUdp, SocketBuffersAreLarge) {
  auto udp = LinuxUdp::open({}).value();
  for (const Family family : {Family::v4, Family::v6}) {
    for (const int option : {SO_RCVBUF, SO_SNDBUF}) {
      int size = 0;
      socklen_t length = sizeof size;
      ::getsockopt(udp->poll_fd(family), SOL_SOCKET, option, &size, &length);
      EXPECT_GE(size, ::geteuid() == 0 ? 2 * kSocketBufferBytes : 100'000);
    }
  }
}

TEST(LinuxUdp, MarkIsSetOnBothSockets) {
  auto udp = LinuxUdp::open({}).value();
  if (auto set = udp->set_route_mark(77); !set) GTEST_SKIP() << set.error().what;
  for (const Family family : {Family::v4, Family::v6}) {
    int mark = 0;
    socklen_t length = sizeof mark;
    ::getsockopt(udp->poll_fd(family), SOL_SOCKET, SO_MARK, &mark, &length);
    EXPECT_EQ(mark, 77);
  }
  UdpOptions marked;
  marked.mark = 78;
  EXPECT_TRUE(LinuxUdp::open(marked));
}

TEST(LinuxUdp, ManyThreadsSendAtOnce) {
  auto a = LinuxUdp::open({}).value();
  auto b = LinuxUdp::open({}).value();
  const std::uint16_t port = b->port();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int turn = 0; turn < 50; ++turn) {
        Entry train(pattern(3000), endpoint(i % 2 ? "::1" : "127.0.0.1", port), 1000);
        Entry refused(pattern(100), endpoint("127.0.0.1", port));
        refused.outgoing.from = {IpAddress::parse("192.0.2.1").value(), 1};
        OutgoingDatagrams batch[] = {train.outgoing, refused.outgoing};
        EXPECT_EQ(a->send(batch), 2u);
        a->forget_paths();
      }
    });
  }
  const auto got = receive(*b, 4 * 50 * 4);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(got.size(), 4u * 50 * 4);
}

// Reads IP packets as they pass an interface.
class Tap {
 public:
  explicit Tap(const char* interface)
      : fd_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval timeout{2, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  // The next UDP packet.
  ByteVector next() {
    for (;;) {
      ByteVector packet(65536);
      const ssize_t size = ::recv(fd_.get(), packet.data(), packet.size(), 0);
      if (size < 0) return {};
      packet.resize(size);
      if (size >= 28 && packet[0] >> 4 == 4 && packet[9] == IPPROTO_UDP) return packet;
      if (size >= 48 && packet[0] >> 4 == 6 && packet[6] == IPPROTO_UDP) return packet;
    }
  }

 private:
  UniqueFd fd_;
};

TEST(LinuxUdp, P76a_OuterPacketsHaveNoDfNoFlowLabelAChecksumAndTheSystemsTtl) {
  FERRULE_NAMESPACE_OR_SKIP(space);
  const InNamespace inside(*space);
  Tap tap("lo");
  auto udp = LinuxUdp::open({}).value();
  for (const std::size_t segment : {0, 1000}) {  // alone, and as a train
    Entry four(pattern(1300), endpoint("127.0.0.1", udp->port()), segment);
    four.outgoing.traffic_class = 2;
    ASSERT_EQ(send(*udp, four.outgoing), 1u);
    const ByteVector v4 = tap.next();
    ASSERT_GE(v4.size(), 28u);
    EXPECT_EQ(v4[1], 2);
    EXPECT_EQ(load_be16(&v4[6]) & 0x4000, 0) << "don't fragment";
    EXPECT_EQ(v4[8], 64);
    EXPECT_NE(load_be16(&v4[26]), 0) << "checksum";
    Entry six(pattern(1300), endpoint("::1", udp->port()), segment);
    six.outgoing.traffic_class = 3;
    tap = Tap("lo");
    ASSERT_EQ(send(*udp, six.outgoing), 1u);
    const ByteVector v6 = tap.next();
    ASSERT_GE(v6.size(), 48u);
    EXPECT_EQ(load_be32(&v6[0]), 0x60300000u) << "version 6, traffic class 3, flow label 0";
    EXPECT_EQ(v6[7], 64);
    EXPECT_NE(load_be16(&v6[46]), 0) << "checksum";
    tap = Tap("lo");
  }
}

// Two namespaces with a narrow wire between them.
TEST(LinuxUdp, P76a_DatagramsLargerThanTheWireArriveInFragments) {
  FERRULE_NAMESPACE_OR_SKIP(here);
  FERRULE_NAMESPACE_OR_SKIP(there);
  const InNamespace inside(*here);
  ASSERT_TRUE(shell("ip link add near mtu 1280 type veth peer name far mtu 1280"));
  ASSERT_TRUE(move_interface("far", *there));
  ASSERT_TRUE(shell("ip link set near up"));
  ASSERT_TRUE(add_address("10.9.0.1/24", "near") && add_address("fd09::1/64", "near"));
  std::unique_ptr<LinuxUdp> far;
  {
    const InNamespace other(*there);
    ASSERT_TRUE(shell("ip link set far up"));
    ASSERT_TRUE(add_address("10.9.0.2/24", "far") && add_address("fd09::2/64", "far"));
    far = LinuxUdp::open({}).value();
  }
  auto near = LinuxUdp::open({}).value();
  for (auto address : {"10.9.0.2", "fd09::2"}) {
    for (int turn = 0; turn < 2; ++turn) {  // the second time it is known
      Entry train(pattern(20'000), endpoint(address, far->port()), 1400);
      ASSERT_EQ(send(*near, train.outgoing), 1u) << address;
      ByteVector all;
      for (const auto& datagram : receive(*far, 15)) {
        all.insert(all.end(), datagram.bytes.begin(), datagram.bytes.end());
      }
      EXPECT_EQ(all, train.bytes) << address;
    }
  }
  EXPECT_EQ(near->send_failures(), 0u);
  EXPECT_TRUE(near->segments(Family::v4)) << "only this path was learned";
}

TEST(LinuxUdp, P75_SourceWhoseAddressWasRemovedIsRefusedAndTheDatagramStillGoes) {
  FERRULE_NAMESPACE_OR_SKIP(space);
  const InNamespace inside(*space);
  ASSERT_TRUE(add_address("10.9.0.1/32", "lo") && add_address("fd09::1/128", "lo"));
  auto udp = LinuxUdp::open({}).value();
  for (auto [to, from] : {std::pair{"127.0.0.1", "10.9.0.1"}, {"::1", "fd09::1"}}) {
    Entry entry(pattern(10), endpoint(to, udp->port()));
    entry.outgoing.from = {IpAddress::parse(from).value(), 1};
    ASSERT_EQ(send(*udp, entry.outgoing), 1u);
    EXPECT_EQ(entry.outgoing.refused, SourceRefusal::none);
    ASSERT_TRUE(shell(std::string("ip addr del ") + from + " dev lo"));
    ASSERT_EQ(send(*udp, entry.outgoing), 1u);
    EXPECT_EQ(entry.outgoing.refused, SourceRefusal::source) << from;
    EXPECT_EQ(receive(*udp, 2).size(), 2u);
  }
}

TEST(LinuxUdp, P75_OfASourceWhoseInterfaceWasDeletedTheAddressStays) {
  auto udp = LinuxUdp::open({}).value();
  for (auto address : {"127.0.0.2", "::1"}) {
    Entry entry(pattern(10), endpoint(address, udp->port()));
    entry.outgoing.from = {IpAddress::parse(address).value(), 999'999};
    ASSERT_EQ(send(*udp, entry.outgoing), 1u);
    EXPECT_EQ(entry.outgoing.refused, SourceRefusal::interface);
    const auto got = receive(*udp, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].from.address, entry.outgoing.from.address);
  }
}

TEST(LinuxUdp, P75_AnAddressOfALocalRouteIsASource) {
  FERRULE_NAMESPACE_OR_SKIP(space);
  const InNamespace inside(*space);
  ASSERT_TRUE(
      shell("ip route add local 10.5.0.0/16 dev lo && "
            "ip -6 route add local fd05::/64 dev lo"));
  auto udp = LinuxUdp::open({}).value();
  for (int turn = 0; turn < 2; ++turn) {
    for (auto [to, from] : {std::pair{"127.0.0.1", "10.5.7.7"}, {"::1", "fd05::7"}}) {
      Entry entry(pattern(10), endpoint(to, udp->port()));
      entry.outgoing.from = {IpAddress::parse(from).value(), 1};
      ASSERT_EQ(send(*udp, entry.outgoing), 1u);
      EXPECT_EQ(entry.outgoing.refused, SourceRefusal::none) << from;
      const auto got = receive(*udp, 1);
      ASSERT_EQ(got.size(), 1u);
      EXPECT_EQ(got[0].from.address, entry.outgoing.from.address);
    }
    udp->forget_paths();
  }
  Entry foreign(pattern(10), endpoint("::1", udp->port()));
  foreign.outgoing.from = {IpAddress::parse("fd06::1").value(), 1};
  ASSERT_EQ(send(*udp, foreign.outgoing), 1u);
  EXPECT_EQ(foreign.outgoing.refused, SourceRefusal::source);
}

}  // namespace
}  // namespace ferrule::io
