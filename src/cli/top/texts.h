// What the pages of `ferrule top` call things.
#pragma once

#include <optional>
#include <string>

#include "cli/top/view.h"

namespace ferrule::cli {

/// "12 s", "5 min"; "never" before the first handshake.
[[nodiscard]] std::string age_text(const protocol::PeerStatus& peer, const WallTime& now);
[[nodiscard]] std::string endpoint_text(const protocol::PeerStatus& peer);
/// "0.3 %"; "-" where it is not known.
[[nodiscard]] std::string loss_text(const std::optional<double>& loss);
/// "12 of 3456 messages, 0.3 % of late".
[[nodiscard]] std::string lost_text(const protocol::PeerStatus& peer,
                                    const monitor::Traffic& traffic);
/// A peer's name as the terminal can show it; "" where it has none.
[[nodiscard]] std::string name_text(const TopView& view, const monitor::DeviceSnapshot& device,
                                    const protocol::PeerStatus& peer);
/// "14:05:09", as the machine has it.
[[nodiscard]] std::string time_of_day(const WallTime& at);

}  // namespace ferrule::cli
