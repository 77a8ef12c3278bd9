// One [Peer] of a .conf file, read by itself.
#pragma once

#include <cstddef>
#include <expected>

#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/conf_error.h"

namespace ferrule::control {

/// The values of a peer's section, as in wg's files, or everything that is wrong in its lines, which end
/// before `end_line`. The document is not read anew.
[[nodiscard]] std::expected<PeerConf, ConfErrors> read_peer_section(const ConfDocument& document,
                                                                    std::size_t section,
                                                                    std::size_t end_line);

}  // namespace ferrule::control
