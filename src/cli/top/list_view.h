// The page of all peers of an interface.
#pragma once

#include "cli/top/view.h"

namespace ferrule::cli {

/// At most `rows` lines: what the interface does as a whole, and its peers. A small window has only those.
[[nodiscard]] std::vector<Line> draw_list(const TopView& view,
                                          const monitor::DeviceSnapshot& device, std::size_t rows);

}  // namespace ferrule::cli
