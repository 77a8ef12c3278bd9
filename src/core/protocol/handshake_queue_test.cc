#include "protocol/handshake_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "base/heap_bytes_testing.h"
#include "protocol/constants.h"

namespace ferrule::protocol {
namespace {

constexpr Instant kStart = Instant::from_ns(1'000'000'000'000);
constexpr std::uint64_t kSalt = 0x5a17;

IpAddress nth_source(std::uint32_t n) {
  std::array<std::uint8_t, 4> bytes;
  store_be32(bytes.data(), n);
  return IpAddress::v4(bytes);
}

HandshakeMessage message_from(const IpAddress& source, std::uint32_t number = 0) {
  HandshakeMessage message{};
  message.size = ResponseLayout::kSize;
  store_le32(message.bytes.data(), number);
  message.from = {source, 51820, 0};
  return message;
}
HandshakeMessage with_mac2(HandshakeMessage message) {
  store_le32(message.bytes.data(), static_cast<std::uint32_t>(MessageType::handshake_response));
  message.bytes[message.size - 1u] = 1;
  return message;
}
std::uint32_t number_of(const HandshakeMessage& message) { return load_le32(message.bytes.data()); }

class HandshakeQueueTest : public testing::Test {
 protected:
  Drop push(const IpAddress& source, Instant now = kStart) {
    return queue_.push(now, message_from(source));
  }
  // Messages of as many sources, none of which has much of the queue.
  void push_strangers(std::size_t count, Instant now = kStart) {
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(push(nth_source(next_stranger_++), now), Drop::none);
    }
  }
  void drain(Instant now) {
    while (queue_.pop(now)) {
    }
  }

  // Of what comes nothing is of use.
  void learn_of_a_flood() { queue_.learn({.genuine = 0, .useless = kFloodAt / kUselessWeight}); }

  HandshakeQueue queue_{kSalt};
  std::uint32_t next_stranger_ = 0x0a000000;
  const IpAddress anna_ = nth_source(1);
  const IpAddress bert_ = nth_source(2);
};

TEST_F(HandshakeQueueTest, P86_AnEmptyQueueGivesNothing) { EXPECT_FALSE(queue_.pop(kStart)); }

TEST_F(HandshakeQueueTest, P86_AMessageComesOutAsItWentIn) {
  HandshakeMessage message = message_from(anna_, 7);
  message.from.scope_id = 3;
  message.to = {bert_, 9};
  ASSERT_EQ(queue_.push(kStart, message), Drop::none);
  const auto popped = queue_.pop(kStart);
  ASSERT_TRUE(popped);
  EXPECT_TRUE(std::equal(message.view().begin(), message.view().end(), popped->view().begin(),
                         popped->view().end()));
  EXPECT_EQ(popped->from, message.from);
  EXPECT_EQ(popped->to, message.to);
}

TEST_F(HandshakeQueueTest, P86_FirstInFirstOut) {
  std::mt19937_64 random(1);
  std::deque<std::uint32_t> model;
  for (std::uint32_t step = 0; step < 100'000; ++step) {
    // It fills, and is emptied, again and again.
    if (random() % 100 < (step / 1000 % 2 == 0 ? 70u : 30u)) {
      const auto source = nth_source(static_cast<std::uint32_t>(random()));
      if (queue_.push(kStart, message_from(source, step)) == Drop::none) model.push_back(step);
    } else if (const auto message = queue_.pop(kStart)) {
      ASSERT_FALSE(model.empty());
      ASSERT_EQ(number_of(*message), model.front());
      model.pop_front();
    }
    ASSERT_EQ(queue_.size(), model.size());
  }
}

TEST_F(HandshakeQueueTest, P86_AFullQueueDropsNewMessages) {
  push_strangers(kHandshakeQueueBound - kHandshakeQueueReserve);
  EXPECT_EQ(push(anna_), Drop::queue_full);
  EXPECT_EQ(queue_.size(), 3584u);
  ASSERT_TRUE(queue_.pop(kStart));
  EXPECT_EQ(push(anna_), Drop::none);
}

TEST_F(HandshakeQueueTest, P86_WhoHasACookieFindsRoomThatAFloodDoesNot) {
  push_strangers(kHandshakeQueueBound - kHandshakeQueueReserve);
  EXPECT_EQ(queue_.push(kStart, with_mac2(message_from(anna_))), Drop::none);
}

TEST_F(HandshakeQueueTest, P86_TheReserveIsBoundedToo) {
  push_strangers(kHandshakeQueueBound - kHandshakeQueueReserve);
  for (std::size_t i = 0; i < kHandshakeQueueReserve; ++i) {
    ASSERT_EQ(queue_.push(kStart, with_mac2(message_from(nth_source(next_stranger_++)))),
              Drop::none);
  }
  EXPECT_EQ(queue_.push(kStart, with_mac2(message_from(anna_))), Drop::queue_full);
  EXPECT_EQ(queue_.size(), 4096u);
}

TEST_F(HandshakeQueueTest, P86_ACookieReplyHasNoMac2) {
  push_strangers(kHandshakeQueueBound - kHandshakeQueueReserve);
  HandshakeMessage reply = with_mac2(message_from(anna_));
  reply.size = CookieReplyLayout::kSize;
  store_le32(reply.bytes.data(), static_cast<std::uint32_t>(MessageType::cookie_reply));
  reply.bytes[CookieReplyLayout::kSize - 1] = 1;
  EXPECT_EQ(queue_.push(kStart, reply), Drop::queue_full);
}

TEST_F(HandshakeQueueTest, P82_AnEighthOfTheBoundIsLoadInAFlood) {
  learn_of_a_flood();
  push_strangers(511);
  EXPECT_FALSE(queue_.under_load(kStart, anna_));
  push_strangers(1);
  EXPECT_TRUE(queue_.under_load(kStart, anna_));
}

TEST_F(HandshakeQueueTest, P82_TheMessageThatEndsTheLoadIsUnderLoad) {
  learn_of_a_flood();
  push_strangers(512);
  ASSERT_TRUE(queue_.pop(kStart + 5s));
  EXPECT_TRUE(queue_.under_load(kStart + 5s, anna_));
}

TEST_F(HandshakeQueueTest, P82_LoadLastsASecondLonger) {
  learn_of_a_flood();
  push_strangers(512);
  drain(kStart + 5s);
  EXPECT_TRUE(queue_.under_load(kStart + 5999ms, anna_));
  EXPECT_FALSE(queue_.under_load(kStart + 6s, anna_));
}

TEST_F(HandshakeQueueTest, P82_LoadLastsAsLongAsTheQueueIsNotServed) {
  learn_of_a_flood();
  push_strangers(512);
  EXPECT_TRUE(queue_.under_load(kStart + 1h, anna_));
}

TEST_F(HandshakeQueueTest, P82_ACrowdOfGenuineOnesIsNoLoad) {
  push_strangers(kHandshakeQueueBound - kHandshakeQueueReserve);
  queue_.learn({.genuine = 1000, .useless = 0});
  EXPECT_FALSE(queue_.under_load(kStart, anna_));
}

TEST_F(HandshakeQueueTest, P82_OneOfFiveInVainIsAFlood) {
  push_strangers(512);
  for (int i = 0; i < 1000; ++i) queue_.learn({.genuine = 5, .useless = 1});
  EXPECT_FALSE(queue_.under_load(kStart, anna_));
  for (int i = 0; i < 1000; ++i) queue_.learn({.genuine = 3, .useless = 1});
  EXPECT_TRUE(queue_.under_load(kStart, anna_));
}

TEST_F(HandshakeQueueTest, P82_AFloodIsForgottenAfterAsManyGenuineOnes) {
  push_strangers(512);
  queue_.learn({.genuine = 0, .useless = 1'000'000});
  queue_.learn({.genuine = kMostUseless - kFloodAt, .useless = 0});
  EXPECT_TRUE(queue_.under_load(kStart, anna_));
  queue_.learn({.genuine = 1, .useless = 0});
  EXPECT_FALSE(queue_.under_load(kStart, anna_));
}

TEST_F(HandshakeQueueTest, P82_AnIdleQueueIsNotUnderLoad) {
  learn_of_a_flood();
  EXPECT_FALSE(queue_.under_load(kStart, anna_));
  EXPECT_FALSE(queue_.under_load(Instant::from_ns(0), anna_));
}

TEST_F(HandshakeQueueTest, P85a_ASourceHasAShareOfTheQueue) {
  for (std::size_t i = 0; i < kHandshakeQueueShare; ++i) ASSERT_EQ(push(anna_), Drop::none);
  push_strangers(kHandshakeQueueQuiet - kHandshakeQueueShare);
  EXPECT_EQ(push(anna_), Drop::source_queue_full);
  EXPECT_EQ(push(bert_), Drop::none);
  ASSERT_TRUE(queue_.pop(kStart));
  EXPECT_EQ(push(anna_), Drop::none);
}

TEST_F(HandshakeQueueTest, P85a_WhileFewOthersWaitASourceMayHaveMore) {
  for (std::size_t i = 0; i < kHandshakeQueueQuiet; ++i) ASSERT_EQ(push(anna_), Drop::none);
  EXPECT_EQ(push(anna_), Drop::source_queue_full);
  EXPECT_EQ(push(bert_), Drop::none);
}

TEST_F(HandshakeQueueTest, P85a_OneFloodingSourceDoesNotPutOthersUnderLoad) {
  learn_of_a_flood();
  for (int i = 0; i < 100'000; ++i) {
    (void)push(anna_);
    if (i % 10 == 0) (void)queue_.pop(kStart);
  }
  EXPECT_TRUE(queue_.under_load(kStart, anna_));
  EXPECT_FALSE(queue_.under_load(kStart, bert_));
}

TEST_F(HandshakeQueueTest, P85a_AnIpv6FloodCountsAgainstItsNetOf64Bits) {
  for (int i = 0; i < 64; ++i) {
    ASSERT_EQ(push(*IpAddress::parse("2001:db8::" + std::to_string(i))), Drop::none);
  }
  push_strangers(kHandshakeQueueQuiet - kHandshakeQueueShare);
  EXPECT_EQ(push(*IpAddress::parse("2001:db8::ffff")), Drop::source_queue_full);
  EXPECT_EQ(push(*IpAddress::parse("2001:db8:0:1::1")), Drop::none);
}

TEST_F(HandshakeQueueTest, P85a_AFloodingSourceIsUnderLoadForASecondLonger) {
  learn_of_a_flood();
  for (int i = 0; i < 64; ++i) (void)push(anna_);
  drain(kStart + 5s);
  EXPECT_TRUE(queue_.under_load(kStart + 5999ms, anna_));
  EXPECT_FALSE(queue_.under_load(kStart + 6s, anna_));
}

TEST_F(HandshakeQueueTest, P85a_AFloodingSourceIsUnderLoadAsLongAsItIsNotServed) {
  learn_of_a_flood();
  for (int i = 0; i < 64; ++i) (void)push(anna_);
  EXPECT_TRUE(queue_.under_load(kStart + 1h, anna_));
  EXPECT_FALSE(queue_.under_load(kStart + 1h, bert_));
}

TEST_F(HandshakeQueueTest, P85a_ASourceJustUnderItsShareIsNotUnderLoad) {
  learn_of_a_flood();
  for (int i = 0; i < 63; ++i) (void)push(anna_);
  EXPECT_FALSE(queue_.under_load(kStart, anna_));
}

TEST_F(HandshakeQueueTest, P85a_WhoSharesABucketDependsOnTheSalt) {
  // With anna's share full, sources that fall in her bucket are refused: which ones must not be known.
  const auto refused = [&](std::uint64_t salt) {
    HandshakeQueue queue(salt);
    queue.learn({.genuine = 0, .useless = kFloodAt});
    for (int i = 0; i < 64; ++i) (void)queue.push(kStart, message_from(anna_));
    std::vector<std::uint32_t> sources;
    for (std::uint32_t n = 100; n < 50'000; ++n) {
      if (queue.under_load(kStart, nth_source(n))) sources.push_back(n);
    }
    return sources;
  };
  EXPECT_FALSE(refused(1).empty());
  EXPECT_NE(refused(1), refused(2));
}

TEST_F(HandshakeQueueTest, P86_WithoutAFloodTheQueueTakesFewKilobytes) {
  const std::size_t before = test::heap_bytes();
  for (int round = 0; round < 1000; ++round) {
    push_strangers(5, kStart + 1s * round);
    drain(kStart + 1s * round);
  }
  EXPECT_LT(test::heap_bytes() + sizeof queue_, before + 12'000);
}

TEST_F(HandshakeQueueTest, P86_TheMemoryOfAFloodIsGivenBack) {
  push_strangers(3);
  drain(kStart);
  const std::size_t before = test::heap_bytes();
  push_strangers(3500);
  for (int i = 0; i < 100; ++i) (void)push(anna_);
  drain(kStart + 1s);
  EXPECT_FALSE(queue_.pop(kStart + 2s));
  EXPECT_LE(test::heap_bytes(), before + 4096);
}

}  // namespace
}  // namespace ferrule::protocol
