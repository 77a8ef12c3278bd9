#include "stack/lwip_reach.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "crypto/random.h"
#include "stack/pair.h"

namespace ferrule::stack {
namespace {

constexpr std::uint16_t kPort = 7;
constexpr std::size_t kVnetBytes = 10;

// A mirror at the other end of the tunnel: what is sent to a host comes back from it, so that the stack speaks
// with itself, over a path as bad as is asked for.
struct Mirror {
  int loss = 0;  // of 1000
  int duplicates = 0;
  int late = 0;  // are overtaken by the next two
  std::mt19937 random{1};
  std::deque<std::string> held;
  std::size_t packets = 0;
  io::UniqueFd socket;

  bool happens(int of_1000) { return static_cast<int>(random() % 1000) < of_1000; }
  void give(const std::string& packet) {
    (void)::send(socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  }
  void take() {
    std::string room(70'000, '\0');
    for (int i = 0; i < 64; ++i) {
      const ssize_t got = ::recv(socket.get(), room.data(), room.size(), 0);
      if (got < 0) return;
      std::string packet = room.substr(0, static_cast<std::size_t>(got));
      ++packets;
      const bool is_v4 = packet[kVnetBytes] >> 4 == 4;
      const std::size_t size = is_v4 ? 4 : 16;
      const auto source = packet.begin() + kVnetBytes + (is_v4 ? 12 : 8);
      std::swap_ranges(source, source + size, source + size);
      if (happens(loss)) continue;
      if (happens(late)) {
        held.push_back(packet);
        continue;
      }
      give(packet);
      if (happens(duplicates)) give(packet);
      if (held.size() > 2 || (!held.empty() && happens(500))) {
        give(held.front());
        held.pop_front();
      }
    }
  }
};

struct World {
  explicit World(const std::string& own = "10.0.0.1") {
    Pair pair = make_pair(SOCK_SEQPACKET).value();
    mirror.socket = std::move(pair.theirs);
    const int size = 4 << 20;
    (void)::setsockopt(mirror.socket.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    watched =
        io::Watched(loop, mirror.socket.get(), {}, [this](const io::Ready&) { mirror.take(); });
    const LwipSettings settings{
        {*IpAddress::parse(own)}, {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")}, 1420};
    reach.emplace(loop, std::move(pair.ours), settings, rng);
  }

  void run_until(const std::function<bool()>& is_so) {
    bool is_late = false;
    const io::Timer late(loop, loop.now() + 40s, [&] { is_late = true; });
    while (!is_so() && !is_late) {
      const io::Timer end(loop, loop.now() + 1ms, [this] { loop.stop(); });
      loop.run();
      loop.go_on();
    }
    EXPECT_FALSE(is_late) << "it never became so";
  }

  // A connection from here to there, which is here too.
  void connect(const std::string& there = "10.0.0.2") {
    const Endpoint to(*IpAddress::parse(there), kPort);
    listener = reach->listen(Endpoint(*IpAddress::parse("::"), kPort)).value();
    near = reach->dial(to, {}).value();
    run_until([&] {
      auto caller = reach->accept(listener.get());
      if (caller) far = std::move(caller->socket);
      return static_cast<bool>(far);
    });
    std::optional<Result<void>> outcome;
    const io::Watched made(loop, near.get(), reach->until_connected(), [&](const io::Ready&) {
      if (!outcome) outcome = reach->connected(near.get());
    });
    run_until([&] { return outcome.has_value(); });
    EXPECT_TRUE(*outcome);
  }

  io::Loop loop = io::Loop::open().value();
  crypto::SystemRng rng;
  Mirror mirror;
  io::Watched watched;
  std::optional<LwipReach> reach;
  io::UniqueFd listener;
  io::UniqueFd near;
  io::UniqueFd far;
};

// Sends all that, and reads all of it at the other end.
void carry(World& world, std::size_t size) {
  std::string data(size, '\0');
  std::minstd_rand random(7);
  std::ranges::generate(data, [&] { return static_cast<char>(random()); });
  std::string received;
  std::size_t sent = 0;
  bool has_ended = false;
  std::string room(1 << 16, '\0');
  world.run_until([&] {
    if (sent < size) {
      const ssize_t put = ::send(world.near.get(), &data[sent], size - sent, MSG_NOSIGNAL);
      if (put > 0) sent += static_cast<std::size_t>(put);
      if (sent == size) ::shutdown(world.near.get(), SHUT_WR);
    }
    ssize_t got;
    while ((got = ::recv(world.far.get(), room.data(), room.size(), 0)) > 0) {
      received.append(room, 0, static_cast<std::size_t>(got));
    }
    has_ended = got == 0;
    return has_ended;
  });
  EXPECT_TRUE(received == data) << received.size() << " of " << size;
  EXPECT_TRUE(world.reach->ended_well(world.far.get()));
}

TEST(LwipReach, CarriesAStreamWhole) {
  World world;
  world.connect();
  carry(world, 8 << 20);
}

TEST(LwipReach, CarriesAStreamOverIpv6) {
  World world("fd00::1");
  world.connect("fd00::2");
  carry(world, 1 << 20);
}

TEST(LwipReach, LossReorderingAndDuplicatesLeaveAStreamWhole) {
  World world;
  world.connect();
  world.mirror.loss = 5;
  world.mirror.duplicates = 10;
  world.mirror.late = 20;
  carry(world, 1 << 20);
}

TEST(LwipReach, ASideThatHasSaidAllStillHears) {
  World world;
  world.connect();
  ::shutdown(world.near.get(), SHUT_WR);
  char c;
  world.run_until([&] { return ::recv(world.far.get(), &c, 1, 0) == 0; });
  ASSERT_EQ(::send(world.far.get(), "a", 1, MSG_NOSIGNAL), 1);
  world.run_until([&] { return ::recv(world.near.get(), &c, 1, 0) == 1; });
  EXPECT_EQ(c, 'a');
}

TEST(LwipReach, WhatBreaksDoesNotEndWell) {
  World world;
  world.connect();
  world.far.reset();  // without having heard the end
  char c;
  world.run_until([&] { return ::recv(world.near.get(), &c, 1, 0) == 0; });
  EXPECT_FALSE(world.reach->ended_well(world.near.get()));
}

TEST(LwipReach, WhereNobodyListensOneIsRefused) {
  World world;
  world.near = world.reach->dial(Endpoint(*IpAddress::parse("10.0.0.2"), 1), {}).value();
  Result<void> outcome;
  std::optional<int> error;
  const io::Watched made(world.loop, world.near.get(), {}, [&](const io::Ready&) {
    if (!error) error = world.reach->connected(world.near.get()).error().code;
  });
  world.run_until([&] { return error.has_value(); });
  EXPECT_EQ(*error, ECONNREFUSED);
}

TEST(LwipReach, WhatTheTunnelDoesNotLeadToIsToldAtOnce) {
  World world;
  const auto outcome = world.reach->dial(Endpoint(*IpAddress::parse("192.0.2.1"), 1), {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ENETUNREACH);
}

TEST(LwipReach, AReaderThatIsAwayHoldsBackTheSenderAtABound) {
  World world;
  world.connect();
  const std::string block(1 << 16, 'x');
  std::size_t sent = 0;
  unsigned idle = 0;
  world.run_until([&] {
    const ssize_t put = ::send(world.near.get(), block.data(), block.size(), MSG_NOSIGNAL);
    sent += put > 0 ? static_cast<std::size_t>(put) : 0;
    idle = put > 0 ? 0 : idle + 1;
    return idle > 300;
  });
  EXPECT_LT(Stack::held_bytes(), 2u << 20);
  EXPECT_LT(sent, 4u << 20);
  std::size_t received = 0;
  std::string room(1 << 16, '\0');
  world.run_until([&] {
    const ssize_t got = ::recv(world.far.get(), room.data(), room.size(), 0);
    received += got > 0 ? static_cast<std::size_t>(got) : 0;
    return received == sent;
  });
}

TEST(LwipReach, DatagramsComeBackFromWhomTheyWentTo) {
  World world;
  const io::UniqueFd one = world.reach->open_udp(Endpoint(*IpAddress::parse("0.0.0.0"), 9)).value();
  const Endpoint there(*IpAddress::parse("10.0.0.2"), 9);
  for (const std::size_t size : {1u, 1200u, 9000u}) {
    const std::string text(size, 'u');
    ASSERT_TRUE(world.reach->send(one.get(), there, "",
                                  {reinterpret_cast<const std::uint8_t*>(text.data()), size}));
    std::size_t came = 0;
    world.run_until([&] {
      const auto datagram = world.reach->receive(one.get());
      if (!datagram) return false;
      came = datagram->bytes.size();
      EXPECT_EQ(datagram->from, there);
      return true;
    });
    EXPECT_EQ(came, size);
  }
}

}  // namespace
}  // namespace ferrule::stack
