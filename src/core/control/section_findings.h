// Sections that are missing, and what stands in one more often than it can count.
#pragma once

#include <vector>

#include "control/conf_check.h"
#include "control/conf_document.h"

namespace ferrule::control {

/// Of a file of wg-quick's. Where a key counts once, the last one does: here is said that there are others.
[[nodiscard]] std::vector<ConfFinding> find_section_mistakes(const ConfDocument& document);

}  // namespace ferrule::control
