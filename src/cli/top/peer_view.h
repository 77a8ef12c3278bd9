// The page of one peer.
#pragma once

#include "cli/top/view.h"

namespace ferrule::cli {

/// At most `rows` lines; what is left of them is for plots.
[[nodiscard]] std::vector<Line> draw_peer(const TopView& view,
                                          const monitor::DeviceSnapshot& device,
                                          const protocol::PeerStatus& peer, std::size_t rows);

}  // namespace ferrule::cli
