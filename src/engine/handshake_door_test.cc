#include "engine/handshake_door.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "engine/polled_testing.h"
#include "engine/world_testing.h"

namespace ferrule::engine::testing {
namespace {

constexpr Now kNow{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};

class HandshakeDoorTest : public ::testing::Test {
 protected:
  HandshakeDoorTest() {
    device.up();
    auto udp =
        std::make_unique<PolledUdp>(events, network, Source{*IpAddress::parse("192.0.2.1"), 1});
    socket = udp.get();
    sockets.waitables[0] = udp->waitable();
    sockets.udp = std::move(udp);
    EXPECT_TRUE(door.open(sockets));
  }

  // What looks like a cookie reply is queued without a look at a mac.
  void deliver(std::size_t count, std::size_t size = 64) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
      std::vector<std::uint8_t> bytes(size);
      bytes[0] = 3;
      ASSERT_TRUE(network.deliver({{*IpAddress::parse(address), 1, 0}, to, 0, bytes}));
    }
  }
  // Whether the control thread wakes for it; the door is told then.
  bool wakes() {
    std::array<io::Ready, 2> room;
    const bool came = !poller->wait(room, Instant()).empty();
    if (came) door.became_readable();
    return came;
  }
  void read() {
    (void)wakes();
    door.read(kNow);
  }
  std::size_t queued() {
    std::vector<protocol::ReceivedHandshake> popped;
    popped.reserve(protocol::kHandshakesTogether);
    std::size_t count = 0;
    Now later = kNow;
    do {
      later.boot = later.boot + 1s;  // past all gathering
      intake.fetch(later, popped);
      count += popped.size();
    } while (!popped.empty());
    return count;
  }

  io::MemoryEvents events;
  io::MemoryNetwork network;
  Endpoint to{*IpAddress::parse("192.0.2.1"), kPort, 0};
  NullLog log;
  test::RepeatableRng rng{1};
  Locks locks{1};
  int woken = 0;
  Inbox inbox{[this] { ++woken; }};
  HandshakeIntake intake{1, [this] { inbox.rouse(); }};
  protocol::Device device{rng, crypto::best_aead_backend(), locks, log};
  io::MemoryTun tun;
  PolledUdp* socket = nullptr;
  UdpDoor sockets;
  std::unique_ptr<io::Poller> poller = std::make_unique<io::MemoryPoller>(events);
  HandshakeDoor door{{*poller, 7},
                     {device.data_path(), locks, crypto::best_aead_backend(), inbox, intake, tun},
                     0};
};

TEST_F(HandshakeDoorTest, WhatHasComeWakesAndIsQueued) {
  EXPECT_FALSE(wakes());
  deliver(3);
  EXPECT_TRUE(wakes());
  EXPECT_FALSE(wakes()) << "once";
  door.read(kNow);
  EXPECT_EQ(queued(), 3u);
}

TEST_F(HandshakeDoorTest, AfterReadingItIsSilentUntilItListens) {
  deliver(1);
  read();
  deliver(1);
  EXPECT_FALSE(wakes());
  door.listen();
  EXPECT_TRUE(wakes());
}

TEST_F(HandshakeDoorTest, WhatComesWhileItDoesNotListenIsReadToo) {
  deliver(1);
  read();
  deliver(1);
  read();
  EXPECT_EQ(queued(), 2u);
}

TEST_F(HandshakeDoorTest, NothingIsReadOnceEnoughIsQueued) {
  deliver(3000);
  for (int i = 0; i < 100; ++i) read();
  EXPECT_TRUE(intake.has_enough());
  const std::size_t first = queued();
  EXPECT_GE(first, protocol::kUnderLoadAt) << "load must be seen";
  EXPECT_LT(first, 2000u);
  for (int i = 0; i < 100; ++i) read();
  EXPECT_GT(queued(), 0u);
}

TEST_F(HandshakeDoorTest, OneReadEndsHoweverMuchJunkComes) {
  deliver(3000, 3);
  read();
  EXPECT_GT(device.drops()[protocol::Drop::malformed], 0u);
  EXPECT_LT(device.drops()[protocol::Drop::malformed], 1000u);
}

TEST_F(HandshakeDoorTest, P75b_ASocketThatDiesIsToldOfAndNothingSpins) {
  socket->break_receive(std::errc::bad_file_descriptor);
  read();
  EXPECT_TRUE(inbox.take_socket_died());
  socket->break_receive(std::errc::bad_file_descriptor);  // it has something to say, always
  door.listen();
  EXPECT_FALSE(wakes());
  read();
  EXPECT_FALSE(inbox.take_socket_died());
}

TEST_F(HandshakeDoorTest, WhileClosedNothingWakesNorIsRead) {
  door.close();
  deliver(1);
  door.listen();
  EXPECT_FALSE(wakes());
  read();
  EXPECT_EQ(queued(), 0u);
  EXPECT_TRUE(door.open(sockets));
  EXPECT_TRUE(wakes());
}

TEST_F(HandshakeDoorTest, ASocketThatCannotBeWaitedOnIsAnError) {
  sockets.waitables[1] = io::Waitable(1'000'000);
  EXPECT_FALSE(door.open(sockets));
  deliver(1);
  EXPECT_FALSE(wakes());
}

}  // namespace
}  // namespace ferrule::engine::testing
