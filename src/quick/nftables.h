// Rules of the kernel's packet filter, in nft's language.
#pragma once

#include <string>

#include "base/error.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// Carries out commands as `nft -f` would: all of them or none. Returns what they print.
/// EPROTONOSUPPORT where the kernel knows nothing of nftables.
[[nodiscard]] Result<std::string> run_nft(const std::string& commands);

/// The same as a step that is shown so, which the kernel is asked about in a dry run.
[[nodiscard]] Action nft_action(std::string shown, std::string commands);

/// Whether there is a table ("ip NAME"). Without nftables in the kernel there is none.
[[nodiscard]] bool has_nft_table(const std::string& table);

/// All rules of this network namespace, as JSON that libnftables-json(5) describes; the elements of named
/// sets are left out. Errors as above.
[[nodiscard]] Result<std::string> list_nft_ruleset();

}  // namespace ferrule::quick
