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

// How many lanes each pass has: the same in either order.
template <unsigned kLanes>
std::vector<unsigned> widths(std::span<const AeadPacket> packets) {
  std::vector<unsigned> widths[2];
  for (const Order order : {Order::keys_first, Order::packet_by_packet}) {
    Plan<kLanes> plan(packets, order);
    Pass<kLanes> pass;
    while (plan.next(pass)) widths[order == Order::keys_first].push_back(pass.lanes());
  }
  EXPECT_EQ(widths[0], widths[1]);
  return widths[0];
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

TEST(BatchPlan, FewBlocksAreCounted) {
  EXPECT_TRUE(fit_in(packets_of({64}), 2));
  EXPECT_FALSE(fit_in(packets_of({65}), 2));
  EXPECT_TRUE(fit_in(packets_of({0, 0, 1}), 4));
  EXPECT_FALSE(fit_in(packets_of({0, 0, 0, 1}), 4));
  EXPECT_FALSE(fit_in(packets_of({0, 0, 0, 0, 0}), 4));
}

TEST(BatchPlan, OneTimeKeysMayTakeSeveralPasses) {
  const auto packets = packets_of({1, 1, 1, 1, 1, 1, 1, 1, 1, 64});
  Plan<8> plan(packets, Order::keys_first);
  Pass<8> pass;
  ASSERT_TRUE(plan.next(pass));
  EXPECT_EQ(pass.runs().size(), 8u);
  EXPECT_TRUE(pass.data().empty());
  EXPECT_EQ(pass.after().packets, 0u);
  ASSERT_TRUE(plan.next(pass));
  EXPECT_EQ(pass.runs().size(), 8u);
  EXPECT_EQ(pass.data().size(), 6u);
  EXPECT_EQ(pass.after().packets, 6u);
  ASSERT_TRUE(plan.next(pass));
  EXPECT_EQ(pass.data().size(), 4u);
  EXPECT_EQ(pass.after().packets, 10u);
  EXPECT_FALSE(plan.next(pass));
}

TEST(BatchPlan, OneTimeKeyMayStandBeforeItsData) {
  const auto packets = packets_of({130, 0, 64 * 3});
  Plan<8> plan(packets, Order::packet_by_packet);
  Pass<8> pass;
  ASSERT_TRUE(plan.next(pass));
  ASSERT_EQ(pass.data().size(), 3u);
  const BlockRun& first = pass.data()[0];
  EXPECT_TRUE(first.has_key());
  EXPECT_EQ(first.lanes, 4u);
  EXPECT_EQ(first.data_lane(), 1u);
  EXPECT_EQ(first.offset(), 0u);
  EXPECT_EQ(first.bytes(130), 130u);
  const BlockRun& empty = pass.data()[1];
  EXPECT_TRUE(empty.has_key());
  EXPECT_EQ(empty.lanes, 1u);
  EXPECT_EQ(empty.bytes(0), 0u);
  const BlockRun& cut = pass.data()[2];
  EXPECT_EQ(cut.lane, 5u);
  EXPECT_EQ(cut.bytes(64 * 3), 2 * kBlockSize);
  EXPECT_EQ(pass.after().packets, 2u);
  EXPECT_EQ(pass.after().bytes, 2 * kBlockSize);
  ASSERT_TRUE(plan.next(pass));
  EXPECT_FALSE(pass.data()[0].has_key());
  EXPECT_EQ(pass.data()[0].data_lane(), 0u);
  EXPECT_EQ(pass.data()[0].offset(), 2 * kBlockSize);
  EXPECT_EQ(pass.data()[0].bytes(64 * 3), kBlockSize);
  EXPECT_FALSE(plan.next(pass));
}

TEST(BatchPlan, SegmentsCrossPasses) {
  const auto packets = packets_of({0, 64 * 40, 1});
  Plan<32> plan(packets, Order::keys_first);
  Pass<32> pass;
  ASSERT_TRUE(plan.next(pass));
  ASSERT_EQ(pass.data().size(), 1u);
  EXPECT_EQ(pass.data()[0].packet, 1u);
  EXPECT_EQ(pass.data()[0].lane, 3u);
  EXPECT_EQ(pass.data()[0].lanes, 29u);
  EXPECT_EQ(pass.data()[0].offset(), 0u);
  EXPECT_EQ(pass.data()[0].bytes(64 * 40), 29 * kBlockSize);
  EXPECT_EQ(pass.after().packets, 1u);
  EXPECT_EQ(pass.after().bytes, 29 * kBlockSize);
  ASSERT_TRUE(plan.next(pass));
  ASSERT_EQ(pass.data().size(), 2u);
  EXPECT_EQ(pass.data()[0].lane, 0u);
  EXPECT_EQ(pass.data()[0].lanes, 11u);
  EXPECT_EQ(pass.data()[0].block, 30u);
  EXPECT_EQ(pass.data()[0].offset(), 29 * kBlockSize);
  EXPECT_EQ(pass.data()[1].packet, 2u);
  EXPECT_EQ(pass.data()[1].block, 1u);
  EXPECT_EQ(pass.data()[1].bytes(1), 1u);
  EXPECT_FALSE(plan.next(pass));
}

// What passes have done so far, and the checks of one more.
template <unsigned kLanes>
class Ledger {
 public:
  Ledger(std::span<const AeadPacket> packets, Order order)
      : packets_(packets), order_(order), next_(packets.size()) {}

  // Lanes have no gap, and the blocks of each packet none either.
  void expect_continues(const Pass<kLanes>& pass) {
    ASSERT_EQ(last_width_ % kLanes, 0u) << "only the last pass may have room";
    unsigned lane = 0;
    for (const BlockRun& run : pass.runs()) {
      ASSERT_EQ(run.lane, lane);
      ASSERT_GT(run.lanes, 0u);
      ASSERT_EQ(run.block, next_[run.packet]);
      ASSERT_NO_FATAL_FAILURE(expect_its_turn(run));
      next_[run.packet] += run.lanes;
      lane += run.lanes;
    }
    ASSERT_EQ(pass.lanes(), lane);
    ASSERT_LE(lane, kLanes);
    last_width_ = lane;
    expect_progress(pass.after());
  }
  void expect_all_done() const {
    for (std::size_t i = 0; i < packets_.size(); ++i) ASSERT_TRUE(is_done(i)) << i;
  }

 private:
  [[nodiscard]] bool is_done(std::size_t packet) const {
    return next_[packet] == (packets_[packet].size + 63) / 64 + 1;
  }
  // The packets before are done; or, if keys come first, they have their keys, and data wait until
  // all have.
  void expect_its_turn(const BlockRun& run) const {
    const bool only_key = order_ == Order::keys_first && run.has_key();
    if (only_key) {
      ASSERT_EQ(run.lanes, 1u);
    }
    for (std::size_t i = 0; i < run.packet; ++i) {
      ASSERT_TRUE(only_key ? next_[i] == 1 : is_done(i)) << i;
    }
    if (order_ == Order::keys_first && !only_key) {
      for (const std::uint32_t next : next_) ASSERT_GE(next, 1u);
    }
  }
  void expect_progress(const Progress& after) const {
    for (std::size_t i = 0; i < after.packets; ++i) ASSERT_TRUE(is_done(i)) << i;
    if (after.packets == packets_.size()) return;
    const std::uint32_t next = next_[after.packets];
    ASSERT_EQ(after.bytes, next == 0 ? 0 : (next - 1) * kBlockSize);
  }

  std::span<const AeadPacket> packets_;
  Order order_;
  std::vector<std::uint32_t> next_;  // block of each packet
  unsigned last_width_ = 0;
};

template <unsigned kLanes>
void expect_every_block_has_one_lane(Order order) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 5000; ++round) {
    const std::size_t longest = random() % 4 == 0 ? 65536 : 300;
    std::vector<AeadPacket> packets(1 + random() % kMaxGroup);
    for (AeadPacket& packet : packets) packet.size = random() % 5 == 0 ? 0 : random() % longest;
    Ledger<kLanes> ledger(packets, order);
    Plan<kLanes> plan(packets, order);
    Pass<kLanes> pass;
    while (plan.next(pass)) ASSERT_NO_FATAL_FAILURE(ledger.expect_continues(pass));
    ASSERT_NO_FATAL_FAILURE(ledger.expect_all_done());
  }
}

TEST(BatchPlan, KeysFirst_EveryBlockHasOneLane) {
  expect_every_block_has_one_lane<8>(Order::keys_first);
  expect_every_block_has_one_lane<32>(Order::keys_first);
}

TEST(BatchPlan, PacketByPacket_EveryBlockHasOneLane) {
  expect_every_block_has_one_lane<8>(Order::packet_by_packet);
  expect_every_block_has_one_lane<32>(Order::packet_by_packet);
}

}  // namespace
}  // namespace ferrule::crypto::batch
