// Lists of prefixes, as files, commands and messages have them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/net.h"
#include "base/segments.h"
#include "protocol/configuration.h"

namespace ferrule::control {

/// "10.0.0.0/8, fd00::/8"; "" when there are none.
[[nodiscard]] std::string prefix_list(std::span<const Cidr> prefixes,
                                      std::string_view separator = ", ");
/// The same of the prefixes of changes.
[[nodiscard]] std::string prefix_list(const protocol::AllowedIpChanges& changes);

}  // namespace ferrule::control
