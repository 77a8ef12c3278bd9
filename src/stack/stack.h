// A TCP/IP stack in this process: lwIP with one interface, whose packets go to and come from a tunnel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/net.h"
#include "base/rng.h"
#include "base/time.h"
#include "io/tun.h"

namespace ferrule::stack {

/// What is held of everything at once: packets, queues, connections.
constexpr std::size_t kMostBytes = 64u << 20;
/// Above this nobody gets more who does not take what there is.
constexpr std::size_t kScarceBytes = 48u << 20;

/// Value type.
struct StackSettings {
  std::vector<IpAddress> addresses;  // one of IPv4 at most is used
  std::uint32_t mtu_bytes = 0;
};

/// There is one of it at a time, since lwIP keeps what it knows in globals. It is told the time with each
/// call, and calls its connections back from within these; used by one thread.
class Stack {
 public:
  /// `tun`: whose `read` gives what is for us, and whose `write` takes what we send.
  Stack(io::Tun& tun, const StackSettings& settings, Rng& rng, Instant now);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  /// Takes packets that have come, some of them at once: false when there are no more. An Error: the other
  /// side is gone.
  [[nodiscard]] Result<bool> take_packets(Instant now);
  /// Does what is due, and says when to call next.
  [[nodiscard]] Instant run_timers(Instant now);

  /// Breaks all connections, which tells them.
  void break_all();

  /// How much of kMostBytes is taken.
  [[nodiscard]] static std::size_t held_bytes() noexcept;

 private:
  struct Interface;
  void take(const io::TunRead& packet);

  io::Tun& tun_;
  std::unique_ptr<Interface> interface_;
  std::vector<std::uint8_t> room_;
};

}  // namespace ferrule::stack
