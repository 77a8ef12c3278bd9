// Finds out what there is to know about a tunnel.
#pragma once

#include <expected>
#include <string>

#include "client/device_client.h"
#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

/// Asks kernel, daemon, file and, through the tunnel, the peers (`only`: just the one of this name
/// or key). Fails with a line about it where there is no such peer, or nothing to ask.
[[nodiscard]] std::expected<DoctorFacts, std::string> gather_facts(
    client::DeviceClient& devices, const std::string& interface_or_path, const std::string& only);

}  // namespace ferrule::diagnosis
