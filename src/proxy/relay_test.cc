#include "proxy/relay.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "proxy/services_testing.h"

namespace ferrule::proxy {
namespace {

// client  <->  [near relay far]  <->  host
struct Relayed : TestServices {
  explicit Relayed(std::string first = {}) {
    Ends client_ends = connected_ends(reach);
    Ends host_ends = connected_ends(reach);
    client = std::move(client_ends.near);
    host = std::move(host_ends.far);
    start_relay(services, std::move(client_ends.far), std::move(host_ends.near), std::move(first),
                [this] { has_ended = true; });
  }

  std::string await(const io::UniqueFd& socket, std::size_t size) {
    std::string all;
    run_until([&] {
      all += received(socket.get());
      return all.size() >= size;
    });
    return all;
  }
  void send(const io::UniqueFd& socket, std::string_view text) {
    ASSERT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  }
  // -1: nothing yet; 0: ended; else the errno.
  int end_of(const io::UniqueFd& socket) {
    char c;
    const ssize_t got = ::recv(socket.get(), &c, 1, MSG_DONTWAIT);
    if (got == 0) return 0;
    return got < 0 && errno != EAGAIN ? errno : -1;
  }

  io::UniqueFd client;
  io::UniqueFd host;
  bool has_ended = false;
};

TEST(Relay, CarriesBytesBothWays) {
  Relayed relayed;
  relayed.send(relayed.client, "there");
  EXPECT_EQ(relayed.await(relayed.host, 5), "there");
  relayed.send(relayed.host, "back");
  EXPECT_EQ(relayed.await(relayed.client, 4), "back");
  EXPECT_EQ(relayed.services.counters.to_inside_bytes, 5u);
  EXPECT_EQ(relayed.services.counters.from_inside_bytes, 4u);
}

TEST(Relay, WhatTheClientSaidBeforeComesFirst) {
  Relayed relayed("first ");
  relayed.send(relayed.client, "second");
  EXPECT_EQ(relayed.await(relayed.host, 12), "first second");
}

TEST(Relay, ASideThatHasSaidAllGoesOnListening) {
  Relayed relayed;
  ::shutdown(relayed.client.get(), SHUT_WR);
  relayed.run_until([&] { return relayed.end_of(relayed.host) == 0; });
  relayed.send(relayed.host, "answer");
  EXPECT_EQ(relayed.await(relayed.client, 6), "answer");
  EXPECT_FALSE(relayed.has_ended);
  ::shutdown(relayed.host.get(), SHUT_WR);
  relayed.run_until([&] { return relayed.has_ended; });
  EXPECT_EQ(relayed.services.counters.open_streams, 0u);
}

TEST(Relay, AResetIsPassedOn) {
  Relayed relayed;
  const linger at_once{1, 0};
  ::setsockopt(relayed.host.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  relayed.host.reset();
  int error = -1;
  relayed.run_until([&] { return (error = relayed.end_of(relayed.client)) != -1; });
  EXPECT_EQ(error, ECONNRESET);
  EXPECT_TRUE(relayed.has_ended);
}

// Nobody reads at the other end: no more than a buffer is held, then the sender waits, and nothing is lost.
TEST(Relay, ASlowReaderIsWaitedFor) {
  Relayed relayed;
  const std::string block(64 * 1024, 'x');
  std::size_t sent = 0;
  std::size_t most_held = 0;
  unsigned idle = 0;
  relayed.run_until([&] {
    const ssize_t put =
        ::send(relayed.client.get(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    sent += put > 0 ? static_cast<std::size_t>(put) : 0;
    idle = put > 0 ? 0 : idle + 1;
    most_held = std::max(most_held, relayed.services.buffered_bytes);
    return idle > 50;
  });
  EXPECT_GT(most_held, 0u);
  EXPECT_LE(most_held, kBufferBytes);
  EXPECT_EQ(relayed.await(relayed.host, sent).size(), sent);
  EXPECT_EQ(relayed.services.buffered_bytes, 0u);
}

// The system would take megabytes for it, and take them from whoever could go elsewhere.
TEST(Relay, WhatAReaderDoesNotTakeStaysWithTheSender) {
  Relayed relayed;
  const std::string block(64 * 1024, 'x');
  int taken = 0;
  unsigned idle = 0;
  relayed.run_until([&] {
    const std::uint64_t before = relayed.services.counters.to_inside_bytes;
    (void)::send(relayed.client.get(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    relayed.turn();
    idle = relayed.services.counters.to_inside_bytes > before ? 0 : idle + 1;
    return idle > 50;
  });
  ASSERT_EQ(::ioctl(relayed.host.get(), FIONREAD, &taken), 0);
  EXPECT_LE(relayed.services.counters.to_inside_bytes - static_cast<unsigned>(taken),
            4 * kBufferBytes);
}

TEST(Relay, WithoutRoomForAllTheSenderWaitsUntilThereIsSome) {
  Relayed relayed;
  relayed.services.buffered_bytes = kAllBuffersBytes;
  relayed.send(relayed.client, "patience");
  pollfd news{relayed.host.get(), POLLIN, 0};
  for (int turns = 0; turns < 20; ++turns) {
    relayed.turn();
    ASSERT_EQ(::poll(&news, 1, 0), 0) << "there was no room";
  }
  relayed.services.buffered_bytes = 0;
  EXPECT_EQ(relayed.await(relayed.host, 8), "patience");
}

}  // namespace
}  // namespace ferrule::proxy
