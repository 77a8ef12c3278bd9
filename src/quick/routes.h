// Which routes lead into a tunnel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/linux/network.h"
#include "protocol/configuration.h"

namespace ferrule::quick {

/// What `Table` says. Value type.
struct TableChoice {
  enum class Kind { automatic, off, number } kind = Kind::automatic;
  std::uint32_t number = 0;
};
/// Of a number, or a name that iproute2 knows; without a text, automatic. None: it is neither.
[[nodiscard]] std::optional<TableChoice> parse_table(const std::optional<std::string>& text);

/// Value type.
struct RoutePlan {
  std::vector<io::LinkRoute> routes;  // the longest prefixes first
  std::vector<Family> defaults;       // whose traffic goes through the tunnel whole, by policy
};

/// The prefixes of all peers.
[[nodiscard]] std::vector<Cidr> allowed_ips(const std::vector<protocol::PeerStatus>& peers);

/// What leads the prefixes into an interface. Those that its routes in the main table (`present`)
/// hold already need no route of their own, unless a table is named.
[[nodiscard]] RoutePlan plan_routes(const TableChoice& table, std::uint32_t interface_index,
                                    std::vector<Cidr> prefixes,
                                    const std::vector<io::LinkRoute>& present);

}  // namespace ferrule::quick
