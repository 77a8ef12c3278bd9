// Links, addresses, routes and rules of a machine: what there is, and how to change it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/netlink.h"

namespace ferrule::io {

/// An address of an interface. Value type.
struct LinkAddress {
  IpAddress address;
  unsigned prefix_length = 0;
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const LinkAddress&) const = default;
};

/// A route that leads straight into an interface. Value type.
struct LinkRoute {
  Cidr destination;
  std::uint32_t table = 0;
  std::uint32_t interface_index = 0;
  bool is_kernels = false;  // the kernel made it, for an address
  auto operator<=>(const LinkRoute&) const = default;
};

/// A routing rule as tunnels need them: what is marked, or is not, goes by a table; where a shortest
/// prefix is named, only routes longer than that count. Value type.
struct RoutingRule {
  Family family = Family::none;
  std::optional<std::uint32_t> mark;
  bool is_inverted = false;
  std::uint32_t table = 0;
  std::optional<std::uint32_t> suppressed_prefix_length;
  std::optional<std::uint32_t> priority;  // without one: a new rule is the first, but for the local
                                          // table's; the first such rule is deleted
  auto operator<=>(const RoutingRule&) const = default;
};

/// Changes the network namespace that it was opened in; reading needs no privileges. Errors have the
/// kernel's errno: EEXIST for what is there already, ENOENT, ESRCH or EADDRNOTAVAIL for what is not.
/// Used by one thread at a time.
class Network {
 public:
  [[nodiscard]] static Result<Network> open();

  /// An interface of a kind that the kernel knows by this name ("wireguard").
  [[nodiscard]] Result<void> add_link(const std::string& name, const std::string& kind);
  [[nodiscard]] Result<void> delete_link(std::uint32_t index);
  /// Sets the MTU and brings the interface up.
  [[nodiscard]] Result<void> set_up(std::uint32_t index, std::uint32_t mtu_bytes);

  /// The addresses of an interface, IPv4 first, in the kernel's order.
  [[nodiscard]] Result<std::vector<LinkAddress>> addresses(std::uint32_t index);
  [[nodiscard]] Result<void> add_address(std::uint32_t index, const LinkAddress& address);
  [[nodiscard]] Result<void> delete_address(std::uint32_t index, const LinkAddress& address);

  /// All unicast routes with one next hop, local ones left out. Those of any interface.
  [[nodiscard]] Result<std::vector<LinkRoute>> routes(Family family);
  /// Whether a table has anything in it, of either family and of any kind.
  [[nodiscard]] Result<bool> has_routes(std::uint32_t table);
  [[nodiscard]] Result<void> add_route(const LinkRoute& route);
  [[nodiscard]] Result<void> delete_route(const LinkRoute& route);
  /// Of routes(), those in whose presence add_route of the same destination and table is refused.
  [[nodiscard]] Result<std::vector<LinkRoute>> exclusive_routes(Family family);

  /// In the order in which they are tried, each with its priority. Rules that choose by more than
  /// they could hold are left out.
  [[nodiscard]] Result<std::vector<RoutingRule>> rules(Family family);
  /// The priority of the first of all rules behind the local table's, which has 0; but for those of
  /// `passed_over`.
  [[nodiscard]] Result<std::uint32_t> first_rule_priority(
      Family family, const std::vector<std::uint32_t>& passed_over = {});
  [[nodiscard]] Result<void> add_rule(const RoutingRule& rule);
  [[nodiscard]] Result<void> delete_rule(const RoutingRule& rule);

  /// Where packets with this mark leave for a destination, and how large they may be by the route or
  /// else the interface. ENETUNREACH where no way leads.
  struct Path {
    std::uint32_t interface_index = 0;
    std::uint32_t mtu_bytes = 0;
  };
  [[nodiscard]] Result<Path> path(const Endpoint& destination, std::uint32_t mark);
  /// The same of the first IPv4 default route in the main table.
  [[nodiscard]] Result<Path> default_path();

 private:
  explicit Network(NetlinkSocket socket) noexcept : socket_(std::move(socket)) {}
  [[nodiscard]] Result<void> change(NetlinkRequest& request, std::string_view attempted);
  [[nodiscard]] Result<std::vector<LinkRoute>> list_routes(Family family,
                                                           std::optional<std::uint32_t> priority);
  [[nodiscard]] Result<void> change_address(std::uint16_t type, std::uint16_t flags,
                                            std::uint32_t index, const LinkAddress& address);
  [[nodiscard]] Result<void> change_route(std::uint16_t type, std::uint16_t flags,
                                          const LinkRoute& route);
  [[nodiscard]] Result<void> change_rule(std::uint16_t type, std::uint16_t flags,
                                         const RoutingRule& rule);
  [[nodiscard]] Result<std::uint32_t> link_mtu(std::uint32_t index);
  NetlinkSocket socket_;
};

}  // namespace ferrule::io
