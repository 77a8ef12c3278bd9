// A loop with all that the proxy's parts need, and sockets on this machine's loopback.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "netstack/linux/socket_reach.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// Keeps what is said.
class KeptLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return true; }
  void write(LogLevel, std::string_view line) noexcept override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

/// "Inside" is loopback too.
struct TestServices {
  TestServices() : services{loop, reach, reach, log}, loop(Loop::open().value()) {}

  /// Runs the loop until something is so; fails the test after some seconds.
  void run_until(const std::function<bool()>& is_so) {
    bool is_late = false;
    const Timer late(loop, loop.now() + 20s, [&] { is_late = true; });
    while (!is_so() && !is_late) turn();
    EXPECT_FALSE(is_late) << "it never became so";
  }
  /// What happens within a millisecond.
  void turn() {
    const Timer end(loop, loop.now() + 1ms, [this] { loop.stop(); });
    loop.run();
    loop.go_on();
  }

  netstack::OwnReach reach;
  KeptLog log;
  Services services;
  Loop loop;  // goes first: what lives in it uses all of the others
};

inline Endpoint loopback(std::uint16_t port = 0) {
  return Endpoint(*IpAddress::parse("127.0.0.1"), port);
}

/// Two ends of a TCP connection on loopback, neither of which waits.
struct Ends {
  io::UniqueFd near;
  io::UniqueFd far;
};
inline Ends connected_ends(netstack::Reach& reach) {
  const io::UniqueFd listener = reach.listen(loopback()).value();
  Ends ends;
  ends.near = reach.dial(netstack::local_end_of(listener.get()), {}).value();
  do {
    ends.far.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  } while (!ends.far && errno == EAGAIN);
  return ends;
}

/// What has come, in one read; "" where nothing has, or it has ended.
inline std::string received(int socket) {
  std::string room(1 << 20, '\0');
  const ssize_t got = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT);
  room.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return room;
}

}  // namespace ferrule::proxy
