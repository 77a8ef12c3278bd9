// A lane: a queue of the tunnel interface, a pair of UDP sockets, and the way of packets between them.
#pragma once

#include <cstdint>

#include "engine/inbound.h"
#include "engine/outbound.h"
#include "engine/pump.h"
#include "io/udp.h"

namespace ferrule::engine {

/// Both ways, which know nothing of each other. Any number of workers may pump at once.
struct Lane {
  Lane(std::uint16_t number, const LaneParts& parts) noexcept
      : outbound(number, parts), inbound(parts) {}

  /// The sockets to use from now on; null for none. Only while no worker pumps.
  void set_udp(io::Udp* udp) noexcept {
    outbound.set_udp(udp);
    inbound.set_udp(udp);
  }

  Outbound outbound;
  Inbound inbound;
};

}  // namespace ferrule::engine
