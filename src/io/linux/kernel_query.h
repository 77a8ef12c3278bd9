// Questions to the kernel's tables of links, addresses and routes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/netlink.h"
#include "io/network_view.h"

namespace ferrule::io {

/// The route that a packet would take.
struct RouteState {
  std::uint32_t interface_index = 0;
  unsigned prefix_length = 0;              // of the table's entry that decides
  std::optional<std::uint32_t> mtu_bytes;  // of the route; none: that of the interface
};

/// The same with what decides it, to be told to people.
struct RouteDetails {
  std::uint32_t interface_index = 0;  // 0: it is a refusal of the table
  IpAddress source;                   // that the kernel would choose; none: it does not say
  IpAddress gateway;                  // none: the destination is on the link
  std::uint32_t table = 0;
  Cidr prefix;            // of the table's entry
  bool is_local = false;  // the destination is this machine
};

/// What a packet is like that a route is asked for.
struct RouteQuestion {
  IpAddress destination;
  IpAddress source;                      // none: the kernel shall choose
  std::uint32_t incoming_interface = 0;  // of a packet that is forwarded; 0: it is made here
  std::uint32_t mark = 0;
  std::uint32_t outgoing_interface = 0;  // that its socket is bound to; 0: to none
};

/// Asks about the network namespace that it was opened in, without privileges; about links of others
/// with CAP_NET_ADMIN. Used by one thread at a time.
class KernelQuery {
 public:
  [[nodiscard]] static Result<KernelQuery> open();

  /// `namespace_id`: from namespace_id(); none means the own namespace.
  [[nodiscard]] Result<LinkState> link(const std::string& name,
                                       std::optional<std::int32_t> namespace_id = {});

  [[nodiscard]] Result<LinkState> link(std::uint32_t index);

  /// The number by which this namespace knows the one that `namespace_fd` names; given to it now if it
  /// had none. From then on a monitor that listens everywhere hears of that namespace's links.
  [[nodiscard]] Result<std::int32_t> namespace_id(int namespace_fd);

  /// The interface by which packets from `source` to `destination` leave. A source of none: as the
  /// kernel would choose. Errors are the kernel's: ENETUNREACH, EINVAL for a foreign IPv4 source, ...
  [[nodiscard]] Result<std::uint32_t> route(const Endpoint& destination, const Source& source,
                                            std::uint32_t mark);

  /// How what leaves from `source` gets to `destination` (P75). To be asked again when routes change.
  [[nodiscard]] WayOut way_out(const Endpoint& destination, const Source& source,
                               std::uint32_t mark);
  /// Of the answers, a route by an interface is remembered, for all that it leads to, until this.
  void forget_way() noexcept { way_.reset(); }

  /// How packets to `destination` leave, from whatever source the kernel would choose.
  [[nodiscard]] Result<RouteState> find_route(const IpAddress& destination, std::uint32_t mark);

  /// The route that a packet would take, and what decides that. Errors are the kernel's.
  [[nodiscard]] Result<RouteDetails> route_details(const RouteQuestion& question);

  /// The interface whose address `source` is: also one of a prefix that a local route goes to. None where
  /// it is no address of this machine, or a link-local one of another interface.
  [[nodiscard]] std::optional<std::uint32_t> owner(const Source& source);

 private:
  explicit KernelQuery(NetlinkSocket socket) noexcept : socket_(std::move(socket)) {}
  Result<std::int32_t> known_namespace_id(int namespace_fd);
  [[nodiscard]] bool leads(const Endpoint& destination, const Source& source, std::uint32_t mark);
  Result<LinkState> ask_link(NetlinkRequest& request, const std::string& attempted);

  struct Way {
    Source source;
    std::uint32_t mark = 0;
    Cidr to;
  };
  NetlinkSocket socket_;
  std::optional<Way> way_;  // asking takes longer than all else of a handshake but its X25519
};

}  // namespace ferrule::io
