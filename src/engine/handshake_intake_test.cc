#include "engine/handshake_intake.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocol/constants.h"

namespace ferrule::engine {
namespace {

constexpr Now kNow{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};

class HandshakeIntakeTest : public ::testing::Test {
 protected:
  HandshakeIntakeTest() { fetched.reserve(protocol::kHandshakesTogether); }

  protocol::Drop post_from(std::string_view address) {
    protocol::HandshakeMessage message;
    message.size = 148;
    message.from = {*IpAddress::parse(address), 1, 0};
    return intake.post(now.boot, message);
  }
  // From somebody else each time.
  void post(std::size_t count) {
    for (; count > 0; --count, ++senders) {
      const std::string address =
          "192.0." + std::to_string(senders / 250) + "." + std::to_string(senders % 250);
      ASSERT_EQ(post_from(address), protocol::Drop::none);
    }
  }
  std::size_t fetch() {
    intake.fetch(now, fetched);
    return fetched.size();
  }

  Now now = kNow;
  std::size_t senders = 0;
  int roused = 0;
  HandshakeIntake intake{1, [this] { ++roused; }};
  std::vector<protocol::ReceivedHandshake> fetched;
};

TEST_F(HandshakeIntakeTest, AMessageRousesAndIsFetched) {
  ASSERT_EQ(post_from("192.0.2.1"), protocol::Drop::none);
  EXPECT_EQ(roused, 1);
  ASSERT_EQ(fetch(), 1u);
  EXPECT_EQ(fetched[0].message.from.address, *IpAddress::parse("192.0.2.1"));
  EXPECT_FALSE(fetched[0].under_load);
}

TEST_F(HandshakeIntakeTest, AfterABatchMessagesGatherUntilTheyFillOne) {
  post(1);
  EXPECT_EQ(fetch(), 1u);
  roused = 0;
  post(protocol::kHandshakesTogether - 1);
  EXPECT_EQ(roused, 0);
  EXPECT_EQ(fetch(), 0u);
  post(1);
  EXPECT_EQ(roused, 1);
  EXPECT_EQ(fetch(), protocol::kHandshakesTogether);
}

TEST_F(HandshakeIntakeTest, WhatGathersIsDueAfterAWhile) {
  post(1);
  EXPECT_EQ(fetch(), 1u);
  post(1);
  const std::optional<Instant> due = intake.next_deadline();
  ASSERT_TRUE(due);
  EXPECT_LE(*due - now.boot, 1ms);
  now.boot = *due;
  EXPECT_EQ(fetch(), 1u);
}

TEST_F(HandshakeIntakeTest, MessagesRouseAtOnceAgainWhenNoneHaveGathered) {
  post(1);
  EXPECT_EQ(fetch(), 1u);
  now.boot = now.boot + 1ms;
  EXPECT_EQ(fetch(), 0u);
  EXPECT_FALSE(intake.next_deadline());
  roused = 0;
  post(1);
  EXPECT_EQ(roused, 1);
}

TEST_F(HandshakeIntakeTest, MoreThanABatchRousesForTheRest) {
  post(2 * protocol::kHandshakesTogether + 1);
  roused = 0;
  EXPECT_EQ(fetch(), protocol::kHandshakesTogether);
  EXPECT_EQ(roused, 1) << "another batch waits";
  EXPECT_EQ(fetch(), protocol::kHandshakesTogether);
  EXPECT_EQ(roused, 1) << "what is left gathers";
}

TEST_F(HandshakeIntakeTest, P86_AMessageTooManyIsRefusedAndRousesNobody) {
  protocol::Drop drop = protocol::Drop::none;
  while (drop == protocol::Drop::none) {
    roused = 0;
    drop = post_from("192.0.2.1");
  }
  EXPECT_EQ(drop, protocol::Drop::source_queue_full);
  EXPECT_EQ(roused, 0);
}

}  // namespace
}  // namespace ferrule::engine
