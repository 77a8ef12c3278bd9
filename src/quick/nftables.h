// Rules of the kernel's packet filter, in nft's language.
#pragma once

#include <string>

#include "base/error.h"

namespace ferrule::quick {

/// Carries out commands as `nft -f` would: all of them or none. Returns what they print.
/// EPROTONOSUPPORT where the kernel knows nothing of nftables.
[[nodiscard]] Result<std::string> run_nft(const std::string& commands);

}  // namespace ferrule::quick
