// All traffic of a family through a tunnel, but not the tunnel's own, and not what the main table has
// a way for that is no default route.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/device_client.h"
#include "quick/actions.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// 0.0.0.0/0 or ::/0.
[[nodiscard]] Cidr everything(Family family);

/// The mark of the tunnel's own packets, which is the number of its table too: the device's, if it
/// has one, else the first number from 51820 on that nobody else uses for either.
[[nodiscard]] Result<std::uint32_t> choose_mark(io::Network& network, client::DeviceClient& devices,
                                                const std::string& interface,
                                                std::uint32_t device_mark);

/// Whether a mark is one of those that are chosen so.
[[nodiscard]] bool is_chosen_mark(std::uint32_t mark) noexcept;

/// Has the device mark its packets.
[[nodiscard]] Action set_mark(client::DeviceClient& devices, const std::string& interface,
                              std::uint32_t mark);

/// The default route into the tunnel's table, the rules that lead there, and what protects from leaks.
/// Rules of `passed_over` priorities count as gone.
[[nodiscard]] Result<void> add_default_route(Transaction& transaction, const LinkActions& link,
                                             Family family, std::uint32_t mark,
                                             const std::vector<io::LinkAddress>& addresses,
                                             const std::vector<std::uint32_t>& passed_over = {});

/// Those of both families; without a mark there are none.
[[nodiscard]] std::vector<io::RoutingRule> rules_of_tunnel(io::Network& network,
                                                           std::uint32_t mark);

/// Of a family's rules, in their order, those that go with the tunnel of this mark: other tunnels keep
/// theirs.
[[nodiscard]] std::vector<io::RoutingRule> rules_to_delete(
    const std::vector<io::RoutingRule>& rules, std::uint32_t mark);

}  // namespace ferrule::quick
