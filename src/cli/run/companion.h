// The process that keeps a tunnel up for as long as a program runs inside it.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cli/run/inner_tunnel.h"
#include "cli/terminal/command.h"
#include "io/linux/fd.h"

namespace ferrule::cli {

/// Where a caller has closed standard descriptors, what is opened next shall not take their places. A program that
/// is started finds them closed all the same.
void hold_standard_descriptors();

/// Starts it: no child of ours, nor in our session, so that a program that takes our place knows nothing
/// of it. `start` makes the tunnel there; `keep` is then called once with it and with what tells
/// that this process, whatever it has become, has ended (a pidfd): it returns when it is time to end.
/// Returns the doors into the tunnel, or none: what went wrong was said.
[[nodiscard]] std::optional<std::vector<io::UniqueFd>> start_companion(
    Console& console, const std::function<std::optional<InnerTunnel>()>& start,
    const std::function<void(InnerTunnel&, int ended)>& keep);

}  // namespace ferrule::cli
