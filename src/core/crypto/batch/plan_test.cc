#include "crypto/batch/plan.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ferrule::crypto::batch {
namespace {

std::vector<AeadPacket> packets_of(std::initializer_list<std::size_t> sizes) {
  std::vector<AeadPacket> packets;
  for (const std::size_t size : sizes) packets.push_back({nullptr, size, nullptr, 0});
  return packets;
}

// How many lanes each pass has.
template <unsigned kLanes>
std::vector<unsigned> widths(std::span<const AeadPacket> packets) {
  Plan<kLanes> plan(packets);
  Pass<kLanes> pass;
  std::vector<unsigned> widths;
  while (plan.next(pass)) widths.push_back(pass.lanes());
  return widths;
}

TEST(BatchPlan, LonePacketIsOneWidePass) {
  // Its one-time key and 23 blocks.
  EXPECT_EQ(widths<32>(packets_of({1420})), std::vector<unsigned>({24}));
}

TEST(BatchPlan, LonePacketIsThreeNarrowPasses) {
  EXPECT_EQ(widths<8>(packets_of({1420})), std::vector<unsigned>({8, 8, 8}));
}

TEST(BatchPlan, EmptyPacketTakesOneLane) {
  EXPECT_EQ(widths<32>(packets_of({0})), std::vector<unsigned>({1}));
  EXPECT_EQ(widths<8>(packets_of({0})), std::vector<unsigned>({1}));
}

TEST(BatchPlan, SixteenPacketsOfAnMtuLeaveNoLaneIdle) {
  const std::vector<AeadPacket> packets(16, AeadPacket{nullptr, 1420, nullptr, 0});
  EXPECT_EQ(widths<32>(packets), std::vector<unsigned>(12, 32));
  EXPECT_EQ(widths<8>(packets), std::vector<unsigned>(48, 8));
}

TEST(BatchPlan, OneTimeKeysMayTakeSeveralPasses) {
  const auto packets = packets_of({1, 1, 1, 1, 1, 1, 1, 1, 1, 64});
  Plan<8> plan(packets);
  Pass<8> pass;
  ASSERT_TRUE(plan.next(pass));
  EXPECT_EQ(pass.first_key(), 0u);
  EXPECT_EQ(pass.keys(), 8u);
  EXPECT_TRUE(pass.segments().empty());
  EXPECT_EQ(pass.after().packets, 0u);
  ASSERT_TRUE(plan.next(pass));
  EXPECT_EQ(pass.first_key(), 8u);
  EXPECT_EQ(pass.keys(), 2u);
  EXPECT_EQ(pass.segments().size(), 6u);
  EXPECT_EQ(pass.after().packets, 6u);
  ASSERT_TRUE(plan.next(pass));
  EXPECT_EQ(pass.keys(), 0u);
  EXPECT_EQ(pass.after().packets, 10u);
  EXPECT_FALSE(plan.next(pass));
}

TEST(BatchPlan, SegmentsCrossPasses) {
  const auto packets = packets_of({0, 64 * 40, 1});
  Plan<32> plan(packets);
  Pass<32> pass;
  ASSERT_TRUE(plan.next(pass));
  ASSERT_EQ(pass.segments().size(), 1u);
  EXPECT_EQ(pass.segments()[0].packet, 1u);
  EXPECT_EQ(pass.segments()[0].lane, 3u);
  EXPECT_EQ(pass.segments()[0].lanes, 29u);
  EXPECT_EQ(pass.segments()[0].offset(), 0u);
  EXPECT_EQ(pass.segments()[0].bytes(64 * 40), 29 * kBlockSize);
  EXPECT_EQ(pass.after().packets, 1u);
  EXPECT_EQ(pass.after().bytes, 29 * kBlockSize);
  ASSERT_TRUE(plan.next(pass));
  ASSERT_EQ(pass.segments().size(), 2u);
  EXPECT_EQ(pass.segments()[0].lane, 0u);
  EXPECT_EQ(pass.segments()[0].lanes, 11u);
  EXPECT_EQ(pass.segments()[0].block, 30u);
  EXPECT_EQ(pass.segments()[0].offset(), 29 * kBlockSize);
  EXPECT_EQ(pass.segments()[1].packet, 2u);
  EXPECT_EQ(pass.segments()[1].block, 1u);
  EXPECT_EQ(pass.segments()[1].bytes(1), 1u);
  EXPECT_FALSE(plan.next(pass));
}

// What passes have done so far, and the checks of one more.
template <unsigned kLanes>
class Ledger {
 public:
  explicit Ledger(std::span<const AeadPacket> packets) : packets_(packets), done_(packets.size()) {}

  // One-time keys come first, then blocks packet by packet without a gap, lanes too.
  void expect_continues(const Pass<kLanes>& pass) {
    ASSERT_EQ(last_width_ % kLanes, 0u) << "only the last pass may have room";
    if (pass.keys() > 0) {
      ASSERT_EQ(pass.first_key(), keys_);
    }
    keys_ += pass.keys();
    unsigned lane = pass.keys();
    for (const Segment& segment : pass.segments()) {
      ASSERT_EQ(keys_, packets_.size()) << "data before keys";
      ASSERT_EQ(segment.lane, lane);
      ASSERT_GT(segment.lanes, 0u);
      ASSERT_EQ(segment.block, done_[segment.packet] + 1);
      for (std::size_t i = 0; i < segment.packet; ++i) ASSERT_TRUE(is_done(i)) << i;
      done_[segment.packet] += segment.lanes;
      lane += segment.lanes;
    }
    ASSERT_EQ(pass.lanes(), lane);
    ASSERT_LE(lane, kLanes);
    last_width_ = lane;
    expect_progress(pass.after());
  }
  void expect_all_done() const {
    ASSERT_EQ(keys_, packets_.size());
    for (std::size_t i = 0; i < packets_.size(); ++i) ASSERT_TRUE(is_done(i)) << i;
  }

 private:
  [[nodiscard]] bool is_done(std::size_t packet) const {
    return done_[packet] == (packets_[packet].size + 63) / 64;
  }
  void expect_progress(const Progress& after) const {
    for (std::size_t i = 0; i < after.packets; ++i) ASSERT_TRUE(is_done(i)) << i;
    if (after.packets == packets_.size()) return;
    ASSERT_EQ(after.bytes, done_[after.packets] * kBlockSize);
    ASSERT_TRUE(keys_ < packets_.size() || !is_done(after.packets)) << "says less than is done";
  }

  std::span<const AeadPacket> packets_;
  std::vector<std::uint32_t> done_;
  std::size_t keys_ = 0;
  unsigned last_width_ = 0;
};

template <unsigned kLanes>
void expect_every_block_has_one_lane() {
  std::mt19937_64 random(1);
  for (int round = 0; round < 5000; ++round) {
    const std::size_t longest = random() % 4 == 0 ? 65536 : 300;
    std::vector<AeadPacket> packets(1 + random() % kMaxGroup);
    for (AeadPacket& packet : packets) packet.size = random() % 5 == 0 ? 0 : random() % longest;
    Ledger<kLanes> ledger(packets);
    Plan<kLanes> plan(packets);
    Pass<kLanes> pass;
    while (plan.next(pass)) ASSERT_NO_FATAL_FAILURE(ledger.expect_continues(pass));
    ASSERT_NO_FATAL_FAILURE(ledger.expect_all_done());
  }
}

TEST(BatchPlan, EveryBlockHasOneLaneOfEight) { expect_every_block_has_one_lane<8>(); }

TEST(BatchPlan, EveryBlockHasOneLaneOf32) { expect_every_block_has_one_lane<32>(); }

}  // namespace
}  // namespace ferrule::crypto::batch
