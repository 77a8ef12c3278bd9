// What keeps packets from leaving by any other way than the tunnel: a table of packet filter rules that
// stays when the daemon, or the interface, is gone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/conf_document.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// `lan` lets packets go to private networks beside the tunnel, but for questions to name servers.
enum class KillSwitch { off, on, lan };

/// What `# KillSwitch' in [Interface] says; off without one. None: it says none of on, lan and off.
[[nodiscard]] std::optional<KillSwitch> kill_switch_of(const control::ConfDocument& document);

constexpr std::string_view kKillSwitchExpected = "KillSwitch is `on', `lan' or `off'";

/// Packets leave by this interface, or are the tunnel's own, which have this mark, or stay on the machine,
/// or ask for an address of the link (DHCP, neighbours); all others are refused, forwarded ones too. A
/// table that is there already is replaced in one step.
[[nodiscard]] Action add_kill_switch(const std::string& interface, KillSwitch kind,
                                     std::uint32_t mark);
[[nodiscard]] Action delete_kill_switch(const std::string& interface);

/// Whether there is such a table now. Without nftables in the kernel there is none.
[[nodiscard]] bool has_kill_switch(const std::string& interface);

}  // namespace ferrule::quick
