// What the attacker does while traffic must flow: a little at a time, and some of it when it hurts
// most.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sim/datagram.h"

namespace ferrule::sim {

class World;

/// Between `begin` and `end` he repeats what he has heard, to whom it was for or to others, from its
/// own address, another host's or his; and he sends what he has forged. Some of that he keeps until
/// somebody sends a handshake message and waits for what comes back. All choices come from the world's
/// dice. Where a message arrives, it arrives before his copy: who is faster than the network, and does
/// not forward what comes back, can end any conversation.
class Siege {
 public:
  explicit Siege(World& world) noexcept : world_(world) {}

  /// In a world that has healed. Another siege ends.
  void begin();
  void end() noexcept {
    ++number_;
    active_ = false;
  }
  /// A host sends this.
  void hears(const Datagram& datagram);

 private:
  void wait();
  void act();
  void strike();
  void ambush(const Datagram& heard);
  [[nodiscard]] Datagram repeat();
  void send(Datagram datagram, std::string_view what);

  World& world_;
  std::uint64_t number_ = 0;  // of this siege
  bool active_ = false;
  bool lurks_ = false;          // until the next handshake message
  Duration pace_{};             // how often he does something
  std::vector<Datagram> loot_;  // what one host was sent before: he uses it over and over
};

}  // namespace ferrule::sim
