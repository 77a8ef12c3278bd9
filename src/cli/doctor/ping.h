// `ferrule ping` and `ferrule test`: a peer by its name, through the tunnel.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// `ping IFACE PEER [-c N] [-i S] [-4|-6] [--json]`: echo requests to an address of the peer by the interface.
/// Status 0: something came back; 1: nothing did; 2: nothing could be sent.
int run_ping(Console& console, Arguments arguments);

/// `test IFACE PEER [--seconds S] [-4|-6] [--json]`: round trip, loss, the largest packet, and what echo
/// requests carry there and back. Status as of `ping`.
int run_test(Console& console, Arguments arguments);

}  // namespace ferrule::cli
