// Questions to the kernel's tables of links, addresses and routes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/netlink.h"

namespace ferrule::io {

/// What an interface is now.
struct LinkState {
  std::string name;
  std::uint32_t index = 0;
  std::uint32_t mtu = 0;
  bool up = false;
};

/// The route that a packet would take.
struct RouteState {
  std::uint32_t interface_index = 0;
  unsigned prefix_length = 0;              // of the table's entry that decides
  std::optional<std::uint32_t> mtu_bytes;  // of the route; none: that of the interface
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

  /// Whether what leaves from `source` is on a way to `destination`. Where no route leads by its
  /// interface, IPv4 takes the destination for a neighbour there, and what is sent is lost without a
  /// word (P75); IPv6 goes by another interface, or refuses. The route found last is remembered, for
  /// all that it leads to, until forget_way(): to be called when routes may have changed.
  [[nodiscard]] bool source_leads(const Endpoint& destination, const Source& source,
                                  std::uint32_t mark);
  void forget_way() noexcept { way_.reset(); }

  /// How packets to `destination` leave, from whatever source the kernel would choose.
  [[nodiscard]] Result<RouteState> find_route(const IpAddress& destination, std::uint32_t mark);

  /// Whether `source` is an address of this machine, and on that interface where it is link-local.
  [[nodiscard]] bool is_local(const Source& source);

  /// Whether replies to `destination` may still leave from `source`: the address is ours and the
  /// route goes by the interface remembered. To be asked when addresses or routes have changed (P75).
  [[nodiscard]] bool source_holds(const Endpoint& destination, const Source& source,
                                  std::uint32_t mark);

 private:
  explicit KernelQuery(NetlinkSocket socket) noexcept : socket_(std::move(socket)) {}
  Result<std::int32_t> known_namespace_id(int namespace_fd);
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
