// What every inner door does: the same facts on an interface of the kernel and in memory.
#include "io/tun.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "io/datagrams_testing.h"
#include "io/linux/namespace_testing.h"
#include "io/linux/tun.h"
#include "io/memory/memory_tun.h"
#include "io/packets_testing.h"

namespace ferrule::io {
namespace {

constexpr std::uint16_t kHostPort = 4242;

// A host with a tunnel interface whose address is 10.77.0.1, and a UDP socket on kHostPort.
class KernelHost {
 public:
  KernelHost() : space_(TestNamespace::make(why_not)) {
    if (space_ == nullptr) return;
    inside_.emplace(*space_);
    auto opened = TunInterface::open({.name = "inner"});
    if (!opened) {
      why_not = opened.error().what;
      return;
    }
    interface_.emplace(std::move(*opened));
    if (!shell("echo 1 > /proc/sys/net/ipv6/conf/inner/disable_ipv6")) why_not = "no /proc/sys";
    set_up(true);
    if (!add_address("10.77.0.1/24", "inner")) why_not = "no address";
    socket_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in own = address("10.77.0.1", kHostPort);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
  }
  Tun& tun() { return interface_->queue(0); }
  void set_up(bool up) {
    EXPECT_TRUE(shell(std::string("ip link set inner ") + (up ? "up" : "down")));
  }
  void remove() { EXPECT_TRUE(shell("ip link del inner")); }

  // The host sends a datagram to 10.77.0.2:7.
  void sends(Bytes payload) {
    const sockaddr_in to = address("10.77.0.2", 7);
    EXPECT_EQ(::sendto(socket_.get(), payload.data(), payload.size(), 0,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(payload.size()));
  }
  // Payloads of the datagrams that the host's socket has received: `count` or, after a second, fewer.
  std::vector<ByteVector> receives(std::size_t count) {
    std::vector<ByteVector> payloads;
    pollfd readable{socket_.get(), POLLIN, 0};
    while (payloads.size() < count && ::poll(&readable, 1, 1000) > 0) {
      ByteVector payload(65536);
      const ssize_t size = ::recv(socket_.get(), payload.data(), payload.size(), 0);
      if (size < 0) break;
      payload.resize(size);
      payloads.push_back(std::move(payload));
    }
    return payloads;
  }

  std::string why_not;

 private:
  static sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &out.sin_addr);
    return out;
  }
  std::unique_ptr<TestNamespace> space_;
  std::optional<InNamespace> inside_;
  std::optional<TunInterface> interface_;
  UniqueFd socket_;
};

class MemoryHost {
 public:
  Tun& tun() { return tun_; }
  void set_up(bool up) { tun_.set_up(up); }
  void remove() { tun_.remove(); }
  void sends(Bytes payload) { EXPECT_TRUE(tun_.host_sends({udp_packet(payload, 7), {}})); }
  std::vector<ByteVector> receives(std::size_t) {
    std::vector<ByteVector> payloads;
    for (const auto& packet : tun_.host_receives()) {
      const std::size_t step =
          packet.offload.gso != packet::GsoType::none ? packet.offload.segment_size : 65536;
      std::size_t at = 28;
      do {
        const std::size_t end = std::min(at + step, packet.bytes.size());
        payloads.emplace_back(packet.bytes.begin() + at, packet.bytes.begin() + end);
        at = end;
      } while (at < packet.bytes.size());
    }
    return payloads;
  }

  std::string why_not;

 private:
  MemoryTun tun_{{.tcp = true, .udp = true}};
};

template <class Host>
class TunDoor : public testing::Test {
 protected:
  void SetUp() override {
    if (!host_.why_not.empty()) GTEST_SKIP() << host_.why_not;
  }
  // Reads until `count` packets have come, two seconds at most.
  std::vector<MemoryPacket> read(std::size_t count, std::size_t headroom = 64) {
    std::vector<MemoryPacket> packets;
    ByteVector room(70'000);
    for (int tries = 0; packets.size() < count && tries < 2000; ++tries) {
      TunRead slot;
      slot.room = room;
      slot.headroom = headroom;
      const auto got = host_.tun().read({&slot, 1});
      if (!got) break;
      if (*got == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const Bytes packet = Bytes(room).subspan(headroom, slot.size);
      packets.push_back({{packet.begin(), packet.end()}, slot.offload});
    }
    return packets;
  }
  Result<std::size_t> write(Bytes packet, const packet::Offload& offload = {}) {
    const TunWrite entry{{&packet, 1}, offload};
    return host_.tun().write({&entry, 1});
  }

  Host host_;
};

using Hosts = testing::Types<KernelHost, MemoryHost>;
class HostNames {
 public:
  template <class Host>
  static std::string GetName(int) {
    return std::is_same_v<Host, KernelHost> ? "Kernel" : "Memory";
  }
};
TYPED_TEST_SUITE(TunDoor, Hosts, HostNames);

TYPED_TEST(TunDoor, NothingThereIsNoError) {
  ByteVector room(2000);
  TunRead slot;
  slot.room = room;
  EXPECT_EQ(this->host_.tun().read({&slot, 1}).value(), 0u);
  EXPECT_EQ(this->host_.tun().read({}).value(), 0u);
}

TYPED_TEST(TunDoor, PacketOfTheHostStandsBehindTheHeadroom) {
  for (const std::size_t headroom : {0, 16, 64}) {
    this->host_.sends(pattern(300));
    const auto packets = this->read(1, headroom);
    ASSERT_EQ(packets.size(), 1u);
    const ByteVector& packet = packets[0].bytes;
    ASSERT_EQ(packet.size(), 328u);
    EXPECT_EQ(packet[0], 0x45);
    EXPECT_EQ(ByteVector(packet.begin() + 28, packet.end()), pattern(300));
  }
}

TYPED_TEST(TunDoor, P77_SeveralPacketsComeInOneReadInOrder) {
  for (std::size_t i = 1; i <= 10; ++i) this->host_.sends(pattern(i * 10));
  std::vector<ByteVector> rooms(8, ByteVector(2000));
  std::vector<TunRead> slots(8);
  for (std::size_t i = 0; i < 8; ++i) slots[i].room = rooms[i];
  ASSERT_EQ(this->host_.tun().read(slots).value(), 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(slots[i].size, 28 + (i + 1) * 10);
  EXPECT_EQ(this->host_.tun().read(slots).value(), 2u);
}

TYPED_TEST(TunDoor, P77_WrittenPacketsReachTheHostInOrder) {
  std::vector<ByteVector> packets;
  std::vector<Bytes> parts;
  for (std::size_t i = 0; i < 20; ++i) packets.push_back(udp_packet(pattern(100 + i), kHostPort));
  for (const auto& packet : packets) {  // each gathered from two parts
    parts.push_back(Bytes(packet).first(30));
    parts.push_back(Bytes(packet).subspan(30));
  }
  std::vector<TunWrite> batch;
  for (std::size_t i = 0; i < 20; ++i) batch.push_back({std::span(parts).subspan(2 * i, 2), {}});
  ASSERT_EQ(this->host_.tun().write(batch).value(), 20u);
  const auto got = this->host_.receives(20);
  ASSERT_EQ(got.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(got[i], pattern(100 + i));
}

TYPED_TEST(TunDoor, SuperPacketReachesTheHostAsItsSegments) {
  if (!this->host_.tun().offload_support().udp) GTEST_SKIP() << "this kernel has no USO";
  const ByteVector payload = pattern(25'300);
  ASSERT_EQ(this->write(udp_packet(payload, kHostPort, true), udp_offload(1000)).value(), 1u);
  const auto got = this->host_.receives(26);
  ASSERT_EQ(got.size(), 26u);
  ByteVector all;
  for (const auto& segment : got) all.insert(all.end(), segment.begin(), segment.end());
  EXPECT_EQ(got.back().size(), 300u);
  EXPECT_EQ(all, payload);
}

TYPED_TEST(TunDoor, PacketsGoNowhereWhileTheInterfaceIsDown) {
  this->host_.set_up(false);
  ByteVector room(2000);
  TunRead slot;
  slot.room = room;
  EXPECT_EQ(this->host_.tun().read({&slot, 1}).value(), 0u);
  (void)this->host_.tun().take_write_failures();
  EXPECT_EQ(this->write(udp_packet(pattern(10), kHostPort)).value(), 1u);
  EXPECT_EQ(this->write(udp_packet(pattern(3000), kHostPort, true), udp_offload(1000)).value(), 1u)
      << "a super-packet is lost, not refused";
  EXPECT_EQ(this->host_.tun().take_write_failures(), 2u);
}

TYPED_TEST(TunDoor, InterfaceThatComesUpAgainWorks) {
  this->host_.set_up(false);
  this->host_.set_up(true);
  EXPECT_EQ(this->write(udp_packet(pattern(10), kHostPort)).value(), 1u);
  EXPECT_EQ(this->host_.receives(1).size(), 1u);
  this->host_.sends(pattern(20));
  EXPECT_EQ(this->read(1).size(), 1u);
}

TYPED_TEST(TunDoor, RemovedInterfaceIsAnError) {
  this->host_.remove();
  ByteVector room(2000);
  TunRead slot;
  slot.room = room;
  EXPECT_FALSE(this->host_.tun().read({&slot, 1}));
  EXPECT_FALSE(this->write(udp_packet(pattern(10), kHostPort)));
}

TYPED_TEST(TunDoor, BatchWithARefusedPacketReachesTheHostOtherwise) {
  // The kernel refuses what is no IP packet; the twin takes all, so that only the rest is compared.
  const ByteVector fine = udp_packet(pattern(10), kHostPort);
  const ByteVector junk(40, 0xff);
  const Bytes parts[] = {fine, junk, fine};
  const TunWrite batch[] = {{{&parts[0], 1}, {}}, {{&parts[1], 1}, {}}, {{&parts[2], 1}, {}}};
  EXPECT_EQ(this->host_.tun().write(batch).value(), 3u);
  const auto got = this->host_.receives(2);
  ASSERT_GE(got.size(), 2u);
  EXPECT_EQ(got.front(), pattern(10));
  EXPECT_EQ(got.back(), pattern(10));
}

}  // namespace
}  // namespace ferrule::io
