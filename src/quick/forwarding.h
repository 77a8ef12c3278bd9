// A machine that carries others' packets on: what makes a server's clients reach the rest of the world.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/conf_document.h"
#include "io/linux/network.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// What `# Forward' in [Interface] says; false without one. None: it says neither on nor off.
[[nodiscard]] std::optional<bool> forwarding_of(const control::ConfDocument& document);

constexpr std::string_view kForwardExpected = "Forward is `on' or `off'";

/// Whether the kernel forwards packets of a family. One that it does not have is none that is off.
[[nodiscard]] bool is_forwarding(Family family);
[[nodiscard]] Action set_forwarding(Family family, bool is_on);

/// Packets from the private networks of these addresses leave other interfaces with the machine's own
/// address. A table that is there already is replaced in one step.
[[nodiscard]] Action add_masquerade(const std::string& interface,
                                    const std::vector<io::LinkAddress>& addresses);
[[nodiscard]] Action delete_masquerade(const std::string& interface);
/// Whether there is such a table now.
[[nodiscard]] bool has_masquerade(const std::string& interface);

/// Has all packets of these addresses' families carried on. Returns the families that did not go before.
[[nodiscard]] Result<std::vector<Family>> start_forwarding(
    Transaction& transaction, const std::string& interface,
    const std::vector<io::LinkAddress>& addresses);

/// Of families that were switched on for an interface, those to switch off with it: where another
/// interface that is up wants it, it is to do so in its turn, and its record says so.
[[nodiscard]] std::vector<Family> families_to_stop(const std::string& interface,
                                                   const std::vector<Family>& families);

}  // namespace ferrule::quick
