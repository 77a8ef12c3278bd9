#include "engine/inbox.h"

#include <gtest/gtest.h>

#include <thread>

#include "protocol/constants.h"

namespace ferrule::engine {
namespace {

constexpr Instant kNow = Instant::from_ns(1'000'000'000'000);

struct Rig {
  std::atomic<int> wakes = 0;
  Inbox inbox{1, [this] { ++wakes; }};

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

protocol::HandshakeMessage message_from(std::string_view address) {
  protocol::HandshakeMessage message;
  message.size = 148;
  message.from = {*IpAddress::parse(address), 1, 0};
  return message;
}

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

TEST(Inbox, AHandshakeMessageWakesAndIsPopped) {
  Rig rig;
  ASSERT_EQ(rig.inbox.post(kNow, message_from("192.0.2.1")), protocol::Drop::none);
  EXPECT_EQ(rig.wakes, 1);
  std::vector<protocol::ReceivedHandshake> popped;
  rig.inbox.pop(kNow, popped);
  ASSERT_EQ(popped.size(), 1u);
  EXPECT_EQ(popped[0].message.from, message_from("192.0.2.1").from);
  EXPECT_FALSE(popped[0].under_load);
}

TEST(Inbox, AfterABatchMessagesGatherUntilTheyFillOne) {
  Rig rig;
  std::vector<protocol::ReceivedHandshake> popped;
  auto post_one = [&, number = 0]() mutable {
    const std::string address = "192.0.2." + std::to_string(number++);
    ASSERT_EQ(rig.inbox.post(kNow, message_from(address)), protocol::Drop::none);
  };
  post_one();
  rig.inbox.settle();
  rig.inbox.pop(kNow, popped);
  rig.wakes = 0;
  for (std::size_t i = 1; i < protocol::kHandshakesTogether; ++i) post_one();
  EXPECT_EQ(rig.wakes, 0);
  EXPECT_FALSE(rig.inbox.has_full_batch());
  post_one();
  EXPECT_EQ(rig.wakes, 1);
  EXPECT_TRUE(rig.inbox.has_full_batch());
}

TEST(Inbox, MessagesWakeAtOnceAgainWhenNoneHaveGathered) {
  Rig rig;
  std::vector<protocol::ReceivedHandshake> popped;
  ASSERT_EQ(rig.inbox.post(kNow, message_from("192.0.2.1")), protocol::Drop::none);
  rig.inbox.settle();
  rig.inbox.pop(kNow, popped);
  rig.inbox.pop(kNow, popped);
  EXPECT_TRUE(popped.empty());
  rig.wakes = 0;
  ASSERT_EQ(rig.inbox.post(kNow, message_from("192.0.2.1")), protocol::Drop::none);
  EXPECT_EQ(rig.wakes, 1);
}

TEST(Inbox, P86_AMessageTooManyIsRefusedAndWakesNobody) {
  Rig rig;
  protocol::Drop drop = protocol::Drop::none;
  while (drop == protocol::Drop::none) {
    rig.inbox.settle();
    rig.wakes = 0;
    drop = rig.inbox.post(kNow, message_from("192.0.2.1"));
  }
  EXPECT_EQ(drop, protocol::Drop::source_queue_full);
  EXPECT_EQ(rig.wakes, 0);
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
  Inbox inbox(1, [&] {
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
