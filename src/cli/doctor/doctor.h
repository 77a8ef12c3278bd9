// `ferrule doctor`: why does my tunnel not work?
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `doctor IFACE [PEER] [--json]`: follows a packet through interface, addresses, routes, socket,
/// firewall and handshake to the peer and back, and says what is wrong, how it knows, and what mends
/// it. Status 0: nothing is wrong. Sends a few packets to the peers and waits for their answers.
int run_doctor(Console& console, Arguments arguments);

}  // namespace ferrule::cli
