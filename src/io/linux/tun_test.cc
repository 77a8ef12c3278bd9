// The inner door on Linux: interfaces, their offloads and their namespaces.
#include "io/linux/tun.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "io/datagrams_testing.h"
#include "io/linux/namespace_testing.h"
#include "io/packets_testing.h"

namespace ferrule::io {
namespace {

// Each test has a namespace of its own, and so all names to itself.
class LinuxTunTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    space_ = TestNamespace::make(why_not);
    if (space_ == nullptr) GTEST_SKIP() << why_not;
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
    inside_.emplace(*space_);
  }
  static TunInterface make(TunOptions options = {}) {
    auto opened = TunInterface::open(options);
    EXPECT_TRUE(opened) << opened.error().what;
    return std::move(*opened);
  }
  static UniqueFd raw_tun(const char* name, int flags) {
    UniqueFd fd(::open("/dev/net/tun", O_RDWR));
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(flags);
    EXPECT_EQ(::ioctl(fd.get(), TUNSETIFF, &request), 0);
    return fd;
  }

  std::unique_ptr<TestNamespace> space_;
  std::optional<InNamespace> inside_;
};

TEST_F(LinuxTunTest, NewInterfaceHasTheMtuOfATunnelAndIsDown) {
  const auto interface = make({.name = "inner"});
  const auto state = interface.state();
  ASSERT_TRUE(state) << state.error().what;
  EXPECT_EQ(state->name, "inner");
  EXPECT_GT(state->index, 0u);
  EXPECT_EQ(state->mtu, 1420u);
  EXPECT_FALSE(state->up);
}

TEST_F(LinuxTunTest, BurstOfSmallPacketsWaitsForAReaderThatWasAway) {
  const auto interface = make({.name = "inner"});
  ASSERT_TRUE(shell("ip link set inner up") && add_address("10.77.0.1/24", "inner"));
  const UniqueFd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(7);
  peer.sin_addr.s_addr = htonl(0x0a4d0002);
  constexpr std::size_t kBurst = 1500;  // 10 ms of 150,000 packets a second
  for (std::size_t i = 0; i < kBurst; ++i) {
    ASSERT_EQ(::sendto(sender.get(), "", 1, 0, reinterpret_cast<sockaddr*>(&peer), sizeof peer), 1);
  }
  std::size_t waiting = 0;
  ByteVector room(2000);
  TunRead slot;
  slot.room = room;
  while (interface.queue(0).read({&slot, 1}).value() == 1) {
    waiting += slot.size == 20 + 8 + 1 ? 1 : 0;  // and not the host's own multicast
  }
  EXPECT_EQ(waiting, kBurst);
}

TEST_F(LinuxTunTest, InterfaceOfAnotherKeepsItsQueueLength) {
  ASSERT_TRUE(shell("ip tuntap add mode tun name inner && ip link set inner txqueuelen 77"));
  const auto interface = make({.name = "inner"});
  EXPECT_TRUE(shell("ip -o link show inner | grep -q 'qlen 77'"));
}

TEST_F(LinuxTunTest, KernelChoosesANumberForATemplate) {
  const auto first = make();
  const auto second = make();
  EXPECT_EQ(first.name().value(), "wg0");
  EXPECT_EQ(second.name().value(), "wg1");
}

TEST_F(LinuxTunTest, InterfaceGoesWithItsOwner) {
  {
    const auto interface = make({.name = "inner"});
  }
  EXPECT_FALSE(interface_exists("inner"));
}

TEST_F(LinuxTunTest, InterfaceInUseIsRefused) {
  const auto interface = make({.name = "inner"});
  const auto again = TunInterface::open({.name = "inner"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, EBUSY);
}

TEST_F(LinuxTunTest, BadNamesAreRefused) {
  for (auto name : {"", "a name", "a/b", "sixteen-letters-", "lo"}) {
    EXPECT_FALSE(TunInterface::open({.name = name})) << name;
  }
}

TEST_F(LinuxTunTest, RenamedInterfaceIsFollowed) {
  const auto interface = make({.name = "inner"});
  ASSERT_TRUE(shell("ip link set inner name other"));
  EXPECT_EQ(interface.name().value(), "other");
  EXPECT_EQ(interface.state().value().name, "other");
}

TEST_F(LinuxTunTest, PersistentInterfaceKeepsItsMtu) {
  ASSERT_TRUE(shell("ip tuntap add mode tun name inner && ip link set inner mtu 1300"));
  {
    const auto interface = make({.name = "inner"});
    EXPECT_EQ(interface.state().value().mtu, 1300u);
    EXPECT_TRUE(interface.has_vnet_header());
  }
  EXPECT_TRUE(interface_exists("inner"));
}

TEST_F(LinuxTunTest, PersistentInterfaceOfOneQueueServesWhoAskedForSeveral) {
  ASSERT_TRUE(shell("ip tuntap add mode tun name inner"));
  const auto interface = make({.name = "inner", .queues = 4});
  EXPECT_EQ(interface.queue_count(), 1u);
  EXPECT_TRUE(interface.has_vnet_header());
}

TEST_F(LinuxTunTest, PersistentInterfaceOfSeveralQueuesServesWhoAskedForOne) {
  ASSERT_TRUE(shell("ip tuntap add mode tun multi_queue name inner"));
  const auto interface = make({.name = "inner"});
  EXPECT_EQ(interface.queue_count(), 1u);
  EXPECT_TRUE(interface.has_vnet_header());
}

TEST_F(LinuxTunTest, SeveralQueuesAllWork) {
  const auto interface = make({.name = "inner", .queues = 3});
  ASSERT_EQ(interface.queue_count(), 3u);
  ASSERT_TRUE(shell("ip link set inner up") && add_address("10.77.0.1/24", "inner"));
  const ByteVector packet = udp_packet(pattern(10), 9);
  const Bytes part = packet;
  const TunWrite entry{{&part, 1}, {}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(interface.queue(i).write({&entry, 1}).value(), 1u);
    EXPECT_EQ(interface.queue(i).take_write_failures(), 0u);
  }
}

TEST_F(LinuxTunTest, WithoutOffloadTheKernelLeavesNothingToDo) {
  ASSERT_TRUE(shell("ip tuntap add mode tun name inner"));
  {
    const auto before = make({.name = "inner"});
  }  // leaves its offloads behind
  const auto interface = make({.name = "inner", .offload = false});
  EXPECT_FALSE(interface.has_vnet_header());
  EXPECT_FALSE(interface.queue(0).offload_support().tcp);
  ASSERT_TRUE(shell("ip link set inner up") && add_address("10.77.0.1/24", "inner"));
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(7);
  to.sin_addr.s_addr = htonl(0x0a4d0002);
  ASSERT_EQ(::sendto(socket.get(), "hello", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 5);
  ByteVector room(2000);
  for (int tries = 0; tries < 100; ++tries) {  // the kernel sends of its own, too
    TunRead slot;
    slot.room = room;
    if (interface.queue(0).read({&slot, 1}).value() == 0 || room[0] >> 4 != 4) continue;
    EXPECT_EQ(slot.offload, packet::Offload{});
    EXPECT_EQ(word_sum(Bytes(room).subspan(12, slot.size - 12), 17 + 13), 0xffff) << "checksum";
    return;
  }
  FAIL() << "nothing came";
}

TEST_F(LinuxTunTest, GivenDescriptorIsTakenAsItIs) {
  for (const int vnet : {0, IFF_VNET_HDR}) {
    auto interface = TunInterface::adopt(raw_tun("given", IFF_TUN | IFF_NO_PI | vnet));
    ASSERT_TRUE(interface) << interface.error().what;
    EXPECT_EQ(interface->name().value(), "given");
    EXPECT_EQ(interface->has_vnet_header(), vnet != 0);
    EXPECT_EQ(interface->queue(0).offload_support().tcp, vnet != 0);
    EXPECT_EQ(interface->state().value().mtu, 1500u) << "its MTU is its giver's";
    ByteVector room(2000);
    TunRead slot;
    slot.room = room;
    EXPECT_EQ(interface->queue(0).read({&slot, 1}).value(), 0u) << "it doesn't block";
  }
}

TEST_F(LinuxTunTest, GivenDescriptorThatIsNoTunnelIsRefused) {
  EXPECT_FALSE(TunInterface::adopt(UniqueFd(::open("/dev/null", O_RDWR))));
  EXPECT_FALSE(TunInterface::adopt(UniqueFd(::open("/dev/net/tun", O_RDWR))));
  EXPECT_FALSE(TunInterface::adopt(raw_tun("frames", IFF_TAP | IFF_NO_PI)));
  EXPECT_FALSE(TunInterface::adopt(UniqueFd()));
}

TEST(TunSocket, IsAnInterfaceUntilItsOtherEndIsClosed) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd far(ends[1]);
  const auto interface = TunInterface::adopt(UniqueFd(ends[0]), true, 1300).value();
  EXPECT_TRUE(interface.exists());
  EXPECT_EQ(interface.state().value().mtu, 1300u);
  EXPECT_TRUE(interface.state().value().up);
  const ByteVector packet = udp_packet(pattern(10), 9);
  const Bytes part = packet;
  const TunWrite entry{{&part, 1}, {}};
  EXPECT_EQ(interface.queue(0).write({&entry, 1}).value(), 1u);
  ByteVector room(2000);
  EXPECT_EQ(::recv(far.get(), room.data(), room.size(), 0), 10 + std::ssize(packet));
  far.reset();
  EXPECT_FALSE(interface.exists());
  EXPECT_FALSE(interface.state());
  TunRead slot;
  slot.room = room;
  EXPECT_FALSE(interface.queue(0).read({&slot, 1}));
  EXPECT_FALSE(interface.queue(0).write({&entry, 1}));
}

TEST(TunSocket, KeepsPacketsApartOrIsRefused) {
  EXPECT_FALSE(TunInterface::adopt(UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))));
}

TEST_F(LinuxTunTest, P77_RefusedSuperPacketEndsTheWriteWithNothingBehindItTaken) {
  const auto interface = make({.name = "inner"});
  ASSERT_TRUE(shell("ip link set inner up"));
  LinuxTun& queue = interface.queue(0);
  if (!queue.offload_support().udp) GTEST_SKIP() << "this kernel has no USO";
  const ByteVector fine = udp_packet(pattern(10), 9);
  const ByteVector large = udp_packet(pattern(5000), 9, true);
  packet::Offload impossible = udp_offload(1000);
  impossible.checksum_start = 60'000;
  const Bytes parts[] = {fine, large};
  const TunWrite batch[] = {
      {{&parts[0], 1}, {}}, {{&parts[1], 1}, impossible}, {{&parts[0], 1}, {}}};
  EXPECT_EQ(queue.write(batch).value(), 1u);
  EXPECT_EQ(queue.refused_super_packets(), 1u);
  EXPECT_EQ(queue.take_write_failures(), 0u);
  for (unsigned i = 0; i < kRefusalsInRow; ++i) EXPECT_TRUE(queue.write(batch));
  EXPECT_FALSE(queue.offload_support().udp) << "always refused: not worth trying";
  EXPECT_TRUE(queue.offload_support().tcp) << "another kind";
}

TEST_F(LinuxTunTest, SuperPacketOnAnInterfaceWithoutVnetHeadersIsRefused) {
  const auto interface = make({.name = "inner", .offload = false});
  ASSERT_TRUE(shell("ip link set inner up"));
  const ByteVector large = udp_packet(pattern(5000), 9, true);
  const Bytes part = large;
  const TunWrite entry{{&part, 1}, udp_offload(1000)};
  EXPECT_EQ(interface.queue(0).write({&entry, 1}).value(), 0u);
}

// Opens a TCP connection from the host to itself whose outgoing packets pass the tunnel: what is read
// from one end is written back with addresses swapped, as a peer that mirrors.
TEST_F(LinuxTunTest, SuperPacketOfTcpComesWithTheSizeOfItsHeaders) {
  const auto interface = make({.name = "inner"});
  LinuxTun& queue = interface.queue(0);
  if (!queue.offload_support().tcp) GTEST_SKIP() << "no TSO";
  ASSERT_TRUE(shell("ip link set inner up") && add_address("10.77.0.1/24", "inner"));
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(4243);
  own.sin_addr.s_addr = htonl(0x0a4d0001);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in mirror = own;
  mirror.sin_addr.s_addr = htonl(0x0a4d0002);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&mirror), sizeof mirror), -1);
  const ByteVector data = pattern(200'000);
  ByteVector room(70'000);
  std::size_t sent = 0;
  for (int tries = 0; tries < 2000; ++tries) {
    if (sent < data.size()) {
      const ssize_t more = ::send(client.get(), &data[sent], data.size() - sent, MSG_NOSIGNAL);
      if (more > 0) sent += more;
    }
    TunRead slot;
    slot.room = room;
    if (queue.read({&slot, 1}).value() == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (room[0] >> 4 != 4) continue;
    if (slot.offload.gso != packet::GsoType::none) {
      EXPECT_EQ(slot.offload.gso, packet::GsoType::tcp4);
      EXPECT_EQ(slot.offload.header_size, 20 + 32) << "IPv4, and TCP with timestamps";
      EXPECT_EQ(slot.offload.segment_size, 1420 - 52);
      EXPECT_GT(slot.size, 1420u);
      EXPECT_TRUE(slot.offload.needs_checksum);
      EXPECT_EQ(slot.offload.checksum_start, 20);
      EXPECT_EQ(slot.offload.checksum_offset, 16);
      return;
    }
    std::swap_ranges(&room[12], &room[16], &room[16]);
    const Bytes part = Bytes(room).first(slot.size);
    const TunWrite back{{&part, 1}, slot.offload};
    EXPECT_EQ(queue.write({&back, 1}).value(), 1u);
  }
  FAIL() << "no super-packet came";
}

TEST_F(LinuxTunTest, P75c_MtuIsFollowedThroughNamespaces) {
  FERRULE_NAMESPACE_OR_SKIP(second);
  FERRULE_NAMESPACE_OR_SKIP(third);
  const auto interface = make({.name = "inner"});
  ASSERT_TRUE(shell("ip link set inner mtu 1400"));
  EXPECT_EQ(interface.state().value().mtu, 1400u);
  ASSERT_TRUE(move_interface("inner", *second));
  {
    const InNamespace inside(*second);
    ASSERT_TRUE(shell("ip link set inner mtu 1300 up"));
  }
  auto state = interface.state();
  ASSERT_TRUE(state) << state.error().what;
  EXPECT_EQ(state->mtu, 1300u);
  EXPECT_TRUE(state->up);
  {
    const InNamespace inside(*second);
    ASSERT_TRUE(move_interface("inner", *third));
  }
  {
    const InNamespace inside(*third);
    ASSERT_TRUE(shell("ip link set inner mtu 1200 name other"));
  }
  state = interface.state();
  ASSERT_TRUE(state) << state.error().what;
  EXPECT_EQ(state->mtu, 1200u);
  EXPECT_EQ(state->name, "other");
  EXPECT_TRUE(interface.exists());
  EXPECT_TRUE(interface.network_namespace());
}

TEST_F(LinuxTunTest, P75c_PacketsPassAfterTheInterfaceHasMoved) {
  FERRULE_NAMESPACE_OR_SKIP(second);
  const auto interface = make({.name = "inner"});
  ASSERT_TRUE(move_interface("inner", *second));
  const ByteVector packet = udp_packet(pattern(10), 9);
  const Bytes part = packet;
  const TunWrite entry{{&part, 1}, {}};
  EXPECT_EQ(interface.queue(0).write({&entry, 1}).value(), 1u);
  EXPECT_EQ(interface.queue(0).take_write_failures(), 1u) << "moving takes it down";
  const InNamespace inside(*second);
  ASSERT_TRUE(shell("ip link set inner up"));
  EXPECT_EQ(interface.queue(0).write({&entry, 1}).value(), 1u);
  EXPECT_EQ(interface.queue(0).take_write_failures(), 0u);
}

TEST_F(LinuxTunTest, P75c_OddMtusAreReported) {
  const auto interface = make({.name = "inner"});
  for (const std::uint32_t mtu : {68u, 576u, 1280u, 9000u, 65535u}) {
    ASSERT_TRUE(interface.set_mtu(mtu));
    EXPECT_EQ(interface.state().value().mtu, mtu);
  }
  EXPECT_FALSE(interface.set_mtu(0));
  EXPECT_EQ(interface.state().value().mtu, 65535u);
}

TEST_F(LinuxTunTest, NamespaceEndsWithItsOwnerAlthoughItsInterfaceIsWatched) {
  FERRULE_NAMESPACE_OR_SKIP(second);
  const auto interface = make({.name = "inner"});
  ASSERT_TRUE(move_interface("inner", *second));
  ASSERT_TRUE(interface.state());
  second.reset();
  pollfd gone{interface.queue(0).poll_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&gone, 1, 3000), 1);
  EXPECT_NE(gone.revents & POLLERR, 0);
  EXPECT_FALSE(interface.exists());
  ByteVector room(2000);
  TunRead slot;
  slot.room = room;
  EXPECT_FALSE(interface.queue(0).read({&slot, 1}));
}

}  // namespace
}  // namespace ferrule::io
