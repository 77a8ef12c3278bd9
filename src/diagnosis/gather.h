// Finds out what there is to know about a tunnel.
#pragma once

#include <optional>
#include <string>

#include "cli/terminal/command.h"
#include "diagnosis/facts.h"

namespace ferrule::cli {

/// Asks kernel, daemon, file and, through the tunnel, the peers (`only`: just the one of this name
/// or key). None, with a word about it: there is no such peer.
[[nodiscard]] std::optional<DoctorFacts> gather_facts(Console& console,
                                                      const std::string& interface_or_path,
                                                      const std::string& only);

}  // namespace ferrule::cli
