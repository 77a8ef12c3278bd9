// What the memory network can do to datagrams, for those who test with it.
#include "io/memory/memory_udp.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "io/datagrams_testing.h"

namespace ferrule::io {
namespace {

class MemoryUdpTest : public testing::Test {
 protected:
  std::unique_ptr<MemoryUdp> open(const char* address, std::uint16_t port = 0) {
    MemoryUdpOptions options;
    options.addresses = {{IpAddress::parse(address).value(), 3}};
    options.port = port;
    return MemoryUdp::open(network_, options).value();
  }
  std::size_t send_to_b(std::size_t size) {
    Entry entry(pattern(size), endpoint("10.0.0.2", 2));
    return send(*a_, entry.outgoing);
  }
  std::vector<std::size_t> sizes_at_b() {
    std::vector<std::size_t> sizes;
    Slots slots(16);
    const auto got = b_->receive(slots.span());
    for (std::size_t i = 0; i < got.value_or(0); ++i) {
      std::vector<Datagram> datagrams;
      cut(slots[i], datagrams);
      for (const auto& datagram : datagrams) sizes.push_back(datagram.bytes.size());
    }
    return sizes;
  }

  MemoryNetwork network_;
  std::unique_ptr<MemoryUdp> a_ = open("10.0.0.1", 1);
  std::unique_ptr<MemoryUdp> b_ = open("10.0.0.2", 2);
};

using Sizes = std::vector<std::size_t>;

TEST_F(MemoryUdpTest, HookDropsHoldsAndChanges) {
  network_.set_hook([](MemoryDatagram& datagram) {
    if (datagram.bytes.size() == 1) return MemoryNetwork::Fate::drop;
    if (datagram.bytes.size() == 2) return MemoryNetwork::Fate::hold;
    datagram.bytes.push_back(0);
    return MemoryNetwork::Fate::deliver;
  });
  for (const std::size_t size : {1, 2, 3}) send_to_b(size);
  EXPECT_EQ(sizes_at_b(), Sizes{4});
  network_.release_held();
  EXPECT_EQ(sizes_at_b(), Sizes{2});
  network_.release_held();
  EXPECT_EQ(sizes_at_b(), Sizes{});
}

TEST_F(MemoryUdpTest, EverythingSentIsRecordedAsItWasSent) {
  network_.set_hook([](MemoryDatagram&) { return MemoryNetwork::Fate::drop; });
  send_to_b(5);
  const auto sent = network_.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].bytes, pattern(5));
  EXPECT_EQ(sent[0].from, endpoint("10.0.0.1", 1));
  EXPECT_EQ(sent[0].to, endpoint("10.0.0.2", 2));
  network_.forget_sent();
  EXPECT_TRUE(network_.sent().empty());
}

TEST_F(MemoryUdpTest, ForgedDatagramsAreDelivered) {
  EXPECT_TRUE(network_.deliver({endpoint("192.0.2.1", 9), endpoint("10.0.0.2", 2), 1, pattern(7)}));
  Slots slots(1);
  ASSERT_EQ(b_->receive(slots.span()).value(), 1u);
  EXPECT_EQ(slots[0].from, endpoint("192.0.2.1", 9));
  EXPECT_EQ(slots[0].to.interface_index, 3u);
  EXPECT_EQ(slots[0].ecn, 1);
  EXPECT_FALSE(network_.deliver({endpoint("192.0.2.1", 9), endpoint("10.0.0.9", 2), 0, {}}));
}

TEST_F(MemoryUdpTest, QueueIsBounded) {
  for (std::size_t i = 0; i < MemoryUdp::kQueueBound + 10; ++i) EXPECT_EQ(send_to_b(1), 1u);
  std::size_t total = 0;
  for (Sizes sizes = sizes_at_b(); !sizes.empty(); sizes = sizes_at_b()) total += sizes.size();
  EXPECT_EQ(total, MemoryUdp::kQueueBound);
}

TEST_F(MemoryUdpTest, RefusedSendsAreCounted) {
  a_->refuse_sends(2);
  EXPECT_EQ(send_to_b(1), 0u);
  EXPECT_EQ(send_to_b(2), 0u);
  EXPECT_EQ(send_to_b(3), 1u);
  EXPECT_EQ(a_->send_failures(), 2u);
  EXPECT_EQ(sizes_at_b(), Sizes{3});
}

TEST_F(MemoryUdpTest, BrokenSocketIsAnErrorUntilMended) {
  b_->break_receive(std::errc::bad_file_descriptor);
  send_to_b(1);
  Slots slots(1);
  EXPECT_EQ(b_->receive(slots.span()).error().code, EBADF);
  b_->break_receive(std::nullopt);
  EXPECT_EQ(sizes_at_b(), Sizes{1});
}

TEST_F(MemoryUdpTest, MovedSocketIsReachedAtItsNewAddressOnly) {
  b_->set_addresses({{IpAddress::parse("10.0.0.3").value(), 3}});
  send_to_b(1);
  EXPECT_EQ(sizes_at_b(), Sizes{});
  Entry entry(pattern(2), endpoint("10.0.0.3", 2));
  EXPECT_EQ(send(*a_, entry.outgoing), 1u);
  EXPECT_EQ(sizes_at_b(), Sizes{2});
}

TEST_F(MemoryUdpTest, TakenPortIsRefusedAndFreedByItsOwner) {
  MemoryUdpOptions options;
  options.addresses = {{IpAddress::parse("10.0.0.2").value(), 3}};
  options.port = 2;
  EXPECT_EQ(MemoryUdp::open(network_, options).error().code, EADDRINUSE);
  b_.reset();
  EXPECT_TRUE(MemoryUdp::open(network_, options));
}

TEST_F(MemoryUdpTest, ArrivalWakesTheReceiver) {
  int woken = 0;
  b_->on_readable([&] { ++woken; });
  send_to_b(1);
  EXPECT_EQ(woken, 1);
}

TEST_F(MemoryUdpTest, WithoutOffloadDatagramsComeOneByOne) {
  MemoryUdpOptions options;
  options.addresses = {{IpAddress::parse("10.0.0.4").value(), 3}};
  options.offload = false;
  auto plain = MemoryUdp::open(network_, options).value();
  Entry train(pattern(300), endpoint("10.0.0.4", plain->port()), 100);
  ASSERT_EQ(send(*a_, train.outgoing), 1u);
  Slots slots(8);
  EXPECT_EQ(plain->receive(slots.span()).value(), 3u);
  train.outgoing.to = endpoint("10.0.0.2", 2);
  ASSERT_EQ(send(*a_, train.outgoing), 1u);
  EXPECT_EQ(b_->receive(slots.span()).value(), 1u);
  EXPECT_EQ(slots[0].segment_size, 100u);
  EXPECT_EQ(slots[0].size, 300u);
}

TEST_F(MemoryUdpTest, ManyThreadsMayUseIt) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 200; ++turn) send_to_b(1 + turn % 5);
    });
  }
  std::size_t total = 0;
  while (total < 800) total += sizes_at_b().size();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(network_.sent().size(), 800u);
}

}  // namespace
}  // namespace ferrule::io
