// The bounds of what waits, and who gives up first (P73a), against the plainest model.
#include "protocol/staging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "protocol/constants.h"
#include "protocol/peer.h"

namespace ferrule::protocol {
namespace {

class StagingTest : public ::testing::Test {
 protected:
  Peer& peer(std::uint32_t slot) {
    while (peers.size() <= slot) {
      PublicKey key;
      key.bytes[0] = static_cast<std::uint8_t>(peers.size());
      const auto number = static_cast<std::uint32_t>(peers.size());
      peers.push_back(std::make_unique<Peer>(PeerId{number, 0}, number, key));
    }
    return *peers[slot];
  }
  std::size_t add(Peer& to, std::size_t size, Instant since = {}, std::uint16_t lane = 0) {
    return add_at(to, to.traffic.staged.take_places(1), size, since, lane);
  }
  std::size_t add_at(Peer& to, std::uint64_t place, std::size_t size, Instant since = {},
                     std::uint16_t lane = 0) {
    StagedPackets one;
    one.push_back({.message = WipedBytes(size),
                   .size = static_cast<std::uint32_t>(size),
                   .lane = lane,
                   .place = place,
                   .since = since});
    return staging.add(to, one);
  }
  static std::vector<std::uint64_t> places(const StagedPackets& packets) {
    std::vector<std::uint64_t> all;
    for (const StagedPacket& packet : packets) all.push_back(packet.place);
    return all;
  }

  NoExclusion exclusion;
  Staging staging{exclusion};
  std::vector<std::unique_ptr<Peer>> peers;
};

TEST_F(StagingTest, P73a_ThePacketOfAPeerThatHasNoOtherIsItsOwn) {
  for (std::uint32_t i = 0; i < 2000; ++i) EXPECT_EQ(add(peer(i), 65'536), 0u);
  EXPECT_FALSE(staging.is_full());
  EXPECT_TRUE(staging.greatest().is_none()) << "nobody can give up anything";
}

TEST_F(StagingTest, P73a_TheOneWhoHoldsMostIsKnown) {
  for (int i = 0; i < 3; ++i) add(peer(0), 1000);
  for (int i = 0; i < 20; ++i) add(peer(1), 1000);
  for (int i = 0; i < 9; ++i) add(peer(2), 1000);
  EXPECT_EQ(staging.greatest(), peer(1).id);
  EXPECT_EQ(staging.drop_all(peer(1)), 20u);
  EXPECT_EQ(staging.greatest(), peer(2).id);
}

TEST_F(StagingTest, P73a_OfTwoWhoHoldAboutAsMuchTheFirstGivesUp) {
  for (std::uint32_t n = 0; n < 3; ++n) {
    for (int i = 0; i < 20; ++i) add(peer(n), 1000);
  }
  EXPECT_EQ(staging.greatest(), peer(0).id);
  while (staging.greatest() == peer(0).id) EXPECT_EQ(staging.give_up_oldest(peer(0)), 1u);
  EXPECT_EQ(staging.greatest(), peer(1).id);
  EXPECT_GE(peer(0).traffic.staged.waiting->packets.size(), 10u);
}

TEST_F(StagingTest, P73a_TheNewestIsNeverGivenUp) {
  add(peer(0), 10);
  EXPECT_EQ(staging.give_up_oldest(peer(0)), 0u);
  add(peer(0), 10);
  EXPECT_EQ(staging.give_up_oldest(peer(0)), 1u);
  EXPECT_EQ(places(peer(0).traffic.staged.waiting->packets), std::vector<std::uint64_t>{1});
}

TEST_F(StagingTest, P44a_P77_PlacesAndNotArrivalsMakeTheOrder) {
  const std::uint64_t first = peer(0).traffic.staged.take_places(2);
  add(peer(0), 10);
  add(peer(0), 10);
  add_at(peer(0), first, 10);
  add_at(peer(0), first + 1, 10);
  EXPECT_EQ(places(peer(0).traffic.staged.waiting->packets),
            (std::vector<std::uint64_t>{0, 1, 2, 3}));
}

TEST_F(StagingTest, P77_ALaneTakesItsOwnAndLeavesTheOthersInTheirOrder) {
  for (std::uint16_t i = 0; i < 6; ++i) add(peer(0), 10, {}, i % 2);
  StagedPackets out;
  staging.take(peer(0), 1, out);
  EXPECT_EQ(places(out), (std::vector<std::uint64_t>{1, 3, 5}));
  EXPECT_EQ(places(peer(0).traffic.staged.waiting->packets), (std::vector<std::uint64_t>{0, 2, 4}));
}

TEST_F(StagingTest, P73a_WhatWaitedForLongerThanAllAttemptsGoes) {
  const Instant begin = Instant::from_ns(1'000'000'000);
  for (int i = 0; i < 5; ++i) add(peer(0), 10, begin + i * 1s);
  EXPECT_EQ(staging.expire(begin + kStagedFor, peer(0)), 0u);
  EXPECT_EQ(staging.expire(begin + kStagedFor + 2500ms, peer(0)), 3u);
  EXPECT_EQ(places(peer(0).traffic.staged.waiting->packets), (std::vector<std::uint64_t>{3, 4}));
}

// Everything that can happen to some peers, beside a model that counts anew each time.
TEST_F(StagingTest, P73a_TheAccountsAreRightWhateverHappens) {
  constexpr std::uint32_t kPeers = 40;
  std::mt19937_64 dice(1);
  std::vector<std::deque<std::size_t>> model(kPeers);
  const auto shared_of = [&](std::size_t n) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i + 1 < model[n].size(); ++i) {
      sum += model[n][i] + StagedPacket::kOverhead;
    }
    return sum;
  };
  for (int step = 0; step < 30'000; ++step) {
    const auto n = static_cast<std::uint32_t>(dice() % kPeers);
    const unsigned what = dice() % 1000;
    if (what == 0) {
      EXPECT_EQ(staging.drop_all(peer(n)), model[n].size());
      model[n].clear();
    } else if (what == 1) {
      StagedPackets out;
      staging.take(peer(n), 0, out);
      EXPECT_EQ(out.size(), model[n].size());
      model[n].clear();
    } else if (what < 100) {
      const bool can = model[n].size() > 1;
      EXPECT_EQ(staging.give_up_oldest(peer(n)), can ? 1u : 0u);
      if (can) model[n].pop_front();
    } else {
      const std::size_t size = dice() % 100 == 0 ? 60'000 : dice() % 1500;
      model[n].push_back(size);
      const bool too_many = model[n].size() > kMaxStagedPackets;
      EXPECT_EQ(add(peer(n), size), too_many ? 1u : 0u);
      if (too_many) model[n].pop_front();
    }
    std::size_t most = 0;
    std::size_t sum = 0;
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      most = std::max(most, shared_of(i));
      sum += shared_of(i);
    }
    ASSERT_EQ(staging.is_full(), sum > kMaxStagedBytes);
    const PeerId greatest = staging.greatest();
    ASSERT_EQ(greatest.is_none(), most == 0);
    if (most != 0) {
      ASSERT_EQ(std::bit_width(shared_of(greatest.slot)), std::bit_width(most));
    }
  }
}

}  // namespace
}  // namespace ferrule::protocol
