// What keeps packets from going round a tunnel that takes all traffic: a table of packet filter rules
// for each family, as wg-quick makes it.
#pragma once

#include <string>
#include <vector>

#include "io/linux/network.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// Packets for the tunnel's addresses are dropped unless they come out of the tunnel, and the mark of
/// the tunnel's own packets is kept with their connection, so that answers to them pass reverse path
/// filters. A table that is there already is replaced.
[[nodiscard]] Action add_leak_protection(const std::string& interface, Family family,
                                         std::uint32_t mark,
                                         const std::vector<io::LinkAddress>& addresses);
[[nodiscard]] Action delete_leak_protection(const std::string& interface, Family family);

/// The families that have such a table now. Without nftables in the kernel: none.
[[nodiscard]] std::vector<Family> leak_protected(const std::string& interface);

}  // namespace ferrule::quick
