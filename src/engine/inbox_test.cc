#include "engine/inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace ferrule::engine {
namespace {

struct Rig {
  std::atomic<int> wakes = 0;
  Inbox inbox{[this] { ++wakes; }};

  void post(PeerId peer) {
    protocol::Attention attention{peer};
    inbox.post(attention);
  }
  protocol::Attention take() {
    protocol::Attention taken;
    inbox.settle();
    inbox.take(taken);
    return taken;
  }
};

TEST(Inbox, NothingPostedWakesNobody) {
  Rig rig;
  protocol::Attention none;
  rig.inbox.post(none);
  EXPECT_EQ(rig.wakes, 0);
}

TEST(Inbox, TheFirstPostWakesAndFurtherOnesDoNot) {
  Rig rig;
  rig.post({1, 0});
  rig.post({2, 0});
  EXPECT_EQ(rig.wakes, 1);
}

TEST(Inbox, WhatIsPostedAfterSettlingWakesAgain) {
  Rig rig;
  rig.post({1, 0});
  rig.inbox.settle();
  rig.post({2, 0});
  EXPECT_EQ(rig.wakes, 2);
}

TEST(Inbox, PeersAreTakenOnceAndInOrder) {
  Rig rig;
  rig.post({1, 0});
  rig.post({2, 0});
  EXPECT_EQ(rig.take(), (protocol::Attention{{1, 0}, {2, 0}}));
  EXPECT_TRUE(rig.take().empty());
}

TEST(Inbox, PostingLeavesTheListEmpty) {
  Rig rig;
  protocol::Attention attention{{1, 0}};
  rig.inbox.post(attention);
  EXPECT_TRUE(attention.empty());
}

TEST(Inbox, ADeadSocketIsToldOnce) {
  Rig rig;
  rig.inbox.socket_died();
  EXPECT_EQ(rig.wakes, 1);
  EXPECT_TRUE(rig.inbox.take_socket_died());
  EXPECT_FALSE(rig.inbox.take_socket_died());
}

TEST(Inbox, AnInterfaceThatFailsIsToldOnce) {
  Rig rig;
  rig.inbox.tun_failed();
  EXPECT_EQ(rig.wakes, 1);
  EXPECT_TRUE(rig.inbox.take_tun_failed());
  EXPECT_FALSE(rig.inbox.take_tun_failed());
}

// Whatever happens between posters and the control thread, no post is left lying without a wake-up.
TEST(Inbox, NoWakeUpIsLost) {
  constexpr std::uint32_t kPosts = 100'000;
  std::atomic<int> bell{0};
  Inbox inbox([&] {
    bell = 1;
    bell.notify_one();
  });
  std::thread poster([&] {
    for (std::uint32_t i = 0; i < kPosts; ++i) {
      protocol::Attention attention{{i, 0}};
      inbox.post(attention);
    }
  });
  protocol::Attention taken;
  for (std::uint32_t seen = 0; seen < kPosts; seen += static_cast<std::uint32_t>(taken.size())) {
    bell.wait(0);
    bell = 0;
    inbox.settle();
    inbox.take(taken);
  }
  poster.join();
}

}  // namespace
}  // namespace ferrule::engine
