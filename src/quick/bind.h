// `# Bind' and `# BindInterface': where on the machine a tunnel's sockets are.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/local_place.h"
#include "control/conf_document.h"

namespace ferrule::quick {

/// What the two comments in [Interface] say; anywhere without them. Else what is wrong, for people.
[[nodiscard]] std::expected<LocalPlace, std::string> place_of(
    const control::ConfDocument& document);

constexpr std::string_view kBindTakesDaemon =
    "Bind and BindInterface take ferruled: the kernel's WireGuard is bound to all addresses";

/// A place as people write it; "(all addresses)" for anywhere.
[[nodiscard]] std::string place_text(const LocalPlace& place);

}  // namespace ferrule::quick
