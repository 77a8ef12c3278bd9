// What the packet filter has against a tunnel.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

/// The rules in a listing of nft that drop or reject and name this interface or UDP port, and input
/// chains that drop what no rule of them accepts, and accept nothing for this port. A best effort: a
/// rule may drop by other things that it says, or not be reached.
[[nodiscard]] std::vector<FirewallRule> suspicious_rules(std::string_view ruleset,
                                                         std::string_view interface,
                                                         std::uint16_t port);

/// What `nft list ruleset` prints; "" when it can't be run.
[[nodiscard]] std::string list_ruleset();

}  // namespace ferrule::diagnosis
