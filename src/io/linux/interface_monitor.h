// News of links, addresses and routes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/linux/netlink.h"

namespace ferrule::io {

/// What one interface has become.
struct LinkChange {
  std::uint32_t index = 0;
  std::string name;
  std::uint32_t mtu = 0;
  bool up = false;
  bool deleted = false;     // gone, or moved to another network namespace
  bool is_foreign = false;  // in another network namespace than the monitor
};

/// What has changed since the last drain. Each interface is named once, with its last state.
struct NetworkChanges {
  bool everything = false;  // messages were lost: anything may have changed
  bool addresses = false;
  bool routes = false;  // rules too
  std::vector<LinkChange> links;

  [[nodiscard]] bool any() const noexcept {
    return everything || addresses || routes || !links.empty();
  }
};

/// Used by one thread at a time.
class InterfaceMonitor {
 public:
  /// Links, addresses, routes and rules of the caller's network namespace.
  [[nodiscard]] static Result<InterfaceMonitor> open();

  /// Links of the other namespaces that this one has numbers for, once listen() was called: where to
  /// hear of an interface that has moved away (P75c). The number of its namespace is given by
  /// TunInterface::state(). Opening needs CAP_NET_BROADCAST, listening nothing. Nothing keeps those
  /// namespaces alive, as a socket inside them would.
  [[nodiscard]] static Result<InterfaceMonitor> open_everywhere();
  [[nodiscard]] Result<void> listen();

  /// For the event loop: readable when `drain` has something.
  [[nodiscard]] int poll_fd() const noexcept { return socket_.fd(); }
  /// Takes what has arrived, without waiting. Lost messages and errors become "everything".
  [[nodiscard]] NetworkChanges drain();

 private:
  explicit InterfaceMonitor(NetlinkSocket socket) noexcept : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
};

}  // namespace ferrule::io
