// What a tunnel's device asks of its machine's network, and hears of it: its interface, addresses, routes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "io/poller.h"

namespace ferrule::io {

/// What an interface is now.
struct LinkState {
  std::string name;
  std::uint32_t index = 0;
  std::uint32_t mtu = 0;
  bool up = false;
  bool is_announced = true;  // the system tells of changes; else it must be asked again
};

/// Where what leaves from an address goes, seen from one interface.
enum class WayOut : std::uint8_t {
  chosen,    // by it
  possible,  // by another, though a route leads by it too
  other,  // by another. Bound to this one all the same, IPv4 would take the destination for a neighbour
          // there, and what is sent would be lost without a word; IPv6 goes by the other
  nowhere,  // no route leads there: perhaps one does once a packet filter has marked the packet
};

/// Seen from one tunnel interface. For one thread, which it never has wait.
class NetworkView {
 public:
  virtual ~NetworkView() = default;

  /// The tunnel's interface, wherever it has been moved to. An Error where that can't be told now.
  [[nodiscard]] virtual Result<LinkState> link() = 0;
  /// False once the interface is gone for good.
  [[nodiscard]] virtual bool link_exists() = 0;

  /// The interface whose address `source` is: also one of a prefix that a local route goes to. None where
  /// it is no address of this machine, or a link-local one of another interface.
  [[nodiscard]] virtual std::optional<std::uint32_t> owner(const Source& source) = 0;
  /// Whether sockets can be bound to an own address now, and to an interface (0: to none) besides.
  [[nodiscard]] virtual bool can_bind(const IpAddress& address, std::uint32_t interface_index) = 0;
  /// How what leaves from `source` gets to `destination` (P75). To be asked again when routes change.
  [[nodiscard]] virtual WayOut way_out(const Endpoint& destination, const Source& source,
                                       std::uint32_t mark) = 0;
  /// What it remembers of the answers goes.
  virtual void forget_ways() noexcept = 0;

  /// To be waited for, and then take_news() called.
  [[nodiscard]] virtual std::vector<Waitable> waitables() const = 0;
  struct News {
    bool link = false;     // the tunnel's interface may have changed
    bool network = false;  // addresses, routes or links by which datagrams leave
  };
  /// Since the last call. What was lost counts as changed.
  [[nodiscard]] virtual News take_news() = 0;
  /// Where the interface is by now, news of it is to be told. To be called when something may have gone
  /// wrong, std::bad_alloc say.
  virtual void listen_anew() = 0;
};

}  // namespace ferrule::io
