// NEON, as crypto/interleaved/machine.h wants it.
#pragma once

#include <cstddef>
#include <string_view>

#include "crypto/neon/add_block.h"
#include "crypto/neon/rounds.h"
#include "crypto/neon/transpose.h"
#include "crypto/neon/vector.h"
#include "crypto/neon/wipe.h"

namespace ferrule::crypto::neon {

constexpr std::string_view kName = "neon";

/// None: two blocks with a row each in a register would wait for each other's latencies about as long
/// as a pass over all four lanes takes.
constexpr std::size_t kFewBlocks = 0;

constexpr bool cpu_can_run() noexcept { return true; }

}  // namespace ferrule::crypto::neon
