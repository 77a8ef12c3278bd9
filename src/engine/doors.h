// The doors of a device, and what to wait on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/local_place.h"
#include "io/poller.h"
#include "io/tun.h"
#include "io/udp.h"

namespace ferrule::engine {

/// A lane's side of the tunnel interface. Does not own it.
struct TunDoor {
  io::Tun& tun;
  io::Waitable waitable;
};

/// A port's sockets, one a family (nothing to wait on: that family is missing).
struct UdpDoor {
  std::unique_ptr<io::Udp> udp;
  std::array<io::Waitable, 2> waitables = {};
  // Keeps the port from other programs for as long as anybody has it: also when the sockets are closed, and
  // until the port is opened again. Null: nothing does.
  std::shared_ptr<const void> hold = {};
};

/// Opens the sockets of one port (0: any) at a place: one pair for each of `lanes` lanes and perhaps one more, for
/// handshake messages, which otherwise come to the lanes, with the data.
using UdpOpener = std::function<Result<std::vector<UdpDoor>>(
    const io::UdpPlace& at, std::uint32_t mark, std::size_t lanes)>;

/// What of a place is there now.
struct FoundPlace {
  io::UdpPlace at;  // without a port
  std::vector<std::string>
      missing;           // addresses and interfaces of the place that the machine does not have
  bool is_there = true;  // false: too little of it to bind to
};
/// Looks for a place on the machine.
using PlaceFinder = std::function<FoundPlace(const LocalPlace&)>;

}  // namespace ferrule::engine
