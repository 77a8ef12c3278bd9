// What keeps packets from going round a tunnel that takes all traffic: rules of the packet filter for
// each family, as wg-quick makes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/linux/network.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// Who can have the rules; in the order in which they are asked.
enum class PacketFilter { nftables, iptables_legacy, iptables };

/// Packets for the tunnel's addresses are dropped unless they come out of the tunnel, and the mark of
/// the tunnel's own packets is kept with their connection, so that answers to them pass reverse path
/// filters. Value type.
struct LeakRules {
  std::string interface;
  Family family = Family::v4;
  std::uint32_t mark = 0;
  std::vector<io::LinkAddress> addresses;
};

/// Rules of this filter that are there already are replaced.
[[nodiscard]] Action add_leak_protection(PacketFilter filter, const LeakRules& rules);
[[nodiscard]] Action delete_leak_protection(PacketFilter filter, const std::string& interface,
                                            Family family);

/// By the first filter that can have them. An Error says why none can, and what is so then.
[[nodiscard]] Result<void> protect_from_leaks(Transaction& transaction, const LeakRules& rules);
/// The same without doing it.
[[nodiscard]] Result<void> can_protect_from_leaks(const LeakRules& rules);

/// Which filters have such rules now.
[[nodiscard]] std::vector<PacketFilter> leak_protection_of(const std::string& interface,
                                                           Family family);

}  // namespace ferrule::quick
