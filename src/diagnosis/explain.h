// What would carry a packet to an address, and why.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "diagnosis/packet_filter.h"
#include "io/linux/kernel_query.h"
#include "io/linux/network.h"

namespace ferrule::diagnosis {

/// A way that the kernel chooses.
struct Way {
  std::string interface;  // "": there is none
  std::string problem;    // what the kernel said then
  io::RouteDetails route;
  std::optional<io::RoutingRule> rule;  // that leads to the route's table, where it is a simple one
};

/// The peer of a tunnel that a packet is for.
struct CarryingPeer {
  std::string name;
  PublicKey key;
  Cidr prefix;  // the longest of its allowed IPs that holds the address
  Endpoint endpoint;
  std::optional<std::int64_t> handshake_age_s;
};

struct Explanation {
  IpAddress address;
  IpAddress from;  // as asked; none: the kernel chooses
  std::string
      coming_by;  // the interface by which a packet that is forwarded comes; "": it is made here
  bool is_forwarding_off = false;  // and should be forwarded
  Way way;
  bool is_tunnel = false;  // the way leads into a WireGuard interface
  std::optional<CarryingPeer> peer;
  std::uint32_t mark = 0;                       // of the tunnel's own datagrams
  control::DeviceSettings settings;             // of the tunnel
  Way outside;                                  // to the peer's endpoint
  bool is_loop = false;                         // which leads into the tunnel again
  std::optional<FirewallRule> stopper;          // of the packet
  std::optional<FirewallRule> outside_stopper;  // of the datagram that carries it

  /// "": it gets onto its way; else why not, in a few words.
  [[nodiscard]] std::string obstacle() const;
  /// Whether the tunnel is bound to what leads to an endpoint of this family, and that is there.
  [[nodiscard]] bool can_send_to(const IpAddress& endpoint) const;
};

/// Asks kernel, packet filter and daemons. Else why it could not look, for people.
[[nodiscard]] std::expected<Explanation, std::string> explain(client::DeviceClient& devices,
                                                              const IpAddress& address,
                                                              const IpAddress& from);

}  // namespace ferrule::diagnosis
