// genkey, genpsk and pubkey, as wg has them.
#pragma once

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// Prints a fresh private key (`genkey`: clamped) or preshared key (`genpsk`) in base64.
int run_genkey(Console& console, Arguments arguments);

/// Reads a private key in base64, with white space behind it, and prints its public key.
int run_pubkey(Console& console, Arguments arguments);

}  // namespace ferrule::cli
