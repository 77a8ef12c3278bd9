// A monitoring program on one of the hosts: it pings peers that nobody is, over and over.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/keys.h"
#include "base/time.h"
#include "sim/datagram.h"

namespace ferrule::sim {

class World;

/// Nothing that it does is a fault: while it goes on, traffic of others must flow as ever (P73a). There
/// is at most one.
class Monitor {
 public:
  explicit Monitor(World& world) noexcept : world_(world) {}

  struct Plan {
    HostId host = kNobody;
    std::size_t peers = 0;
    std::size_t burst = 0;  // pings of each peer to begin with
    std::size_t size = 0;   // of a ping
    Duration every{};       // then one to each peer
    std::uint64_t seed = 0;
  };
  /// Configures the peers, and pings them. Another monitor ends.
  void begin(const Plan& plan);
  /// What the world had to do later has been forgotten: the next ping, too.
  void go_on();
  /// The peers go.
  void end();
  /// What `host` is meant to know beside the other hosts.
  [[nodiscard]] std::span<const PublicKey> peers_of(HostId host) const noexcept;

 private:
  void configure();
  void ping(std::size_t times);
  void ping_later();

  World& world_;
  Plan plan_;
  std::vector<PublicKey> peers_;
  std::uint64_t number_ = 0;  // of what is to come: an older one does nothing
};

}  // namespace ferrule::sim
