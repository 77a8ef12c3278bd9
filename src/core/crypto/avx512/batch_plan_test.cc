#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/batch_plan.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ferrule::crypto::avx512 {
namespace {

std::vector<AeadPacket> packets_of(std::initializer_list<std::size_t> sizes) {
  std::vector<AeadPacket> packets;
  for (const std::size_t size : sizes) packets.push_back({nullptr, size, nullptr, 0});
  return packets;
}

// How many lanes each pass has.
std::vector<unsigned> widths(std::span<const AeadPacket> packets) {
  BatchPlan plan(packets);
  Pass pass;
  plan.first(pass);
  std::vector<unsigned> widths;
  do {
    widths.push_back(pass.lanes());
  } while (plan.next(pass));
  return widths;
}

TEST(Avx512BatchPlan, LonePacketIsOnePass) {
  // Its one-time key and 23 blocks.
  EXPECT_EQ(widths(packets_of({1420})), std::vector<unsigned>({24}));
}

TEST(Avx512BatchPlan, EmptyPacketTakesOneLane) {
  EXPECT_EQ(widths(packets_of({0})), std::vector<unsigned>({1}));
}

TEST(Avx512BatchPlan, SixteenPacketsOfAnMtuLeaveNoLaneIdle) {
  const std::vector<AeadPacket> packets(16, AeadPacket{nullptr, 1420, nullptr, 0});
  EXPECT_EQ(widths(packets), std::vector<unsigned>(12, 32));
}

TEST(Avx512BatchPlan, SegmentsCrossPasses) {
  const auto packets = packets_of({0, 64 * 40, 1});
  BatchPlan plan(packets);
  Pass pass;
  plan.first(pass);
  ASSERT_EQ(pass.segments().size(), 1u);
  EXPECT_EQ(pass.segments()[0].packet, 1u);
  EXPECT_EQ(pass.segments()[0].lane, 3u);
  EXPECT_EQ(pass.segments()[0].lanes, 29u);
  EXPECT_EQ(pass.segments()[0].offset(), 0u);
  ASSERT_TRUE(plan.next(pass));
  ASSERT_EQ(pass.segments().size(), 2u);
  EXPECT_EQ(pass.segments()[0].lane, 0u);
  EXPECT_EQ(pass.segments()[0].lanes, 11u);
  EXPECT_EQ(pass.segments()[0].block, 30u);
  EXPECT_EQ(pass.segments()[0].offset(), 29 * kBlockSize);
  EXPECT_EQ(pass.segments()[1].packet, 2u);
  EXPECT_EQ(pass.segments()[1].block, 1u);
  EXPECT_FALSE(plan.next(pass));
}

// Checks one pass and moves on: blocks come packet by packet without a gap, lanes too.
void expect_continues(const Pass& pass, unsigned lane, std::span<const AeadPacket> packets,
                      std::vector<std::uint32_t>& done) {
  for (const Segment& segment : pass.segments()) {
    ASSERT_EQ(segment.lane, lane);
    ASSERT_GT(segment.lanes, 0u);
    ASSERT_EQ(segment.block, done[segment.packet] + 1);
    for (std::size_t i = 0; i < segment.packet; ++i) {
      ASSERT_EQ(done[i], (packets[i].size + 63) / 64) << "packet " << i << " is not done";
    }
    done[segment.packet] += segment.lanes;
    lane += segment.lanes;
  }
  ASSERT_EQ(pass.lanes(), lane);
  ASSERT_LE(lane, kMaxLanes);
}

TEST(Avx512BatchPlan, EveryBlockHasOneLane) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 5000; ++round) {
    const std::size_t count = 1 + random() % kMaxGroup;
    const std::size_t longest = random() % 4 == 0 ? 65536 : 300;
    std::vector<AeadPacket> packets(count);
    for (AeadPacket& packet : packets) packet.size = random() % longest;
    std::vector<std::uint32_t> done(count);
    BatchPlan plan(packets);
    Pass pass;
    plan.first(pass);
    expect_continues(pass, static_cast<unsigned>(count), packets, done);
    for (unsigned before = pass.lanes(); plan.next(pass); before = pass.lanes()) {
      ASSERT_EQ(before, kMaxLanes) << "only the last pass may have room";
      expect_continues(pass, 0, packets, done);
    }
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(done[i], (packets[i].size + 63) / 64);
  }
}

}  // namespace
}  // namespace ferrule::crypto::avx512
#endif
