#include "io/memory/memory_tun.h"

#include <gtest/gtest.h>

#include "io/datagrams_testing.h"
#include "io/packets_testing.h"

namespace ferrule::io {
namespace {

Result<std::size_t> write(MemoryTun& tun, std::span<const Bytes> packets, packet::Offload offload) {
  std::vector<TunWrite> batch;
  for (const Bytes& packet : packets) batch.push_back({{&packet, 1}, offload});
  return tun.write(batch);
}

TEST(MemoryTun, SuperPacketsPassWhereTheyAreSupported) {
  const ByteVector large = udp_packet(pattern(3000), 9, true);
  MemoryTun with({.tcp = false, .udp = true});
  EXPECT_TRUE(with.host_sends({large, udp_offload(1000)}));
  ByteVector room(4000);
  TunRead slot;
  slot.room = room;
  ASSERT_EQ(with.read({&slot, 1}).value(), 1u);
  EXPECT_EQ(slot.offload, udp_offload(1000));
  MemoryTun without;
  EXPECT_FALSE(without.host_sends({large, udp_offload(1000)}));
  EXPECT_TRUE(without.host_sends({large, {}}));
}

TEST(MemoryTun, P77_RefusedSuperPacketEndsTheWriteWithNothingBehindItTaken) {
  const ByteVector large = udp_packet(pattern(3000), 9, true);
  const Bytes batch[] = {large, large};
  MemoryTun tun({.tcp = true, .udp = true});
  EXPECT_EQ(write(tun, batch, udp_offload(1000)).value(), 2u);
  tun.refuse_super_packets(true);
  EXPECT_EQ(write(tun, batch, udp_offload(1000)).value(), 0u);
  EXPECT_EQ(tun.host_receives().size(), 2u);
  EXPECT_EQ(tun.take_write_failures(), 0u);
}

TEST(MemoryTun, RefusedPacketsAreLostAndCounted) {
  const ByteVector small = udp_packet(pattern(30), 9);
  const Bytes batch[] = {small, small, small};
  MemoryTun tun;
  tun.refuse_writes(2);
  EXPECT_EQ(write(tun, batch, {}).value(), 3u);
  EXPECT_EQ(tun.host_receives().size(), 1u);
  EXPECT_EQ(tun.take_write_failures(), 2u);
}

TEST(MemoryTun, QueuesAreBounded) {
  MemoryTun tun;
  for (std::size_t i = 0; i < MemoryTun::kQueueBound; ++i) ASSERT_TRUE(tun.host_sends({{1}, {}}));
  EXPECT_FALSE(tun.host_sends({{1}, {}}));
}

TEST(MemoryTun, PacketOfTheHostWakesTheReader) {
  int woken = 0;
  MemoryTun tun;
  tun.on_readable([&] { ++woken; });
  tun.host_sends({{1}, {}});
  tun.set_up(false);
  tun.host_sends({{1}, {}});
  EXPECT_EQ(woken, 1);
}

}  // namespace
}  // namespace ferrule::io
