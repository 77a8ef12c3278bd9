// Values of a file that are taken, and can't be meant.
#pragma once

#include <vector>

#include "control/conf_check.h"
#include "control/conf_document.h"

namespace ferrule::control {

/// What value_mistakes.h says of each value, and of what `peer add` will tell clients, where it stands.
[[nodiscard]] std::vector<ConfFinding> find_odd_values(const ConfDocument& document);

}  // namespace ferrule::control
