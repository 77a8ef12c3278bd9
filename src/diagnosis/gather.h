// Finds out what there is to know about a tunnel.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "client/device_client.h"
#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

/// Hears how far it is. Both may be empty.
struct Progress {
  std::function<void(Step)> begin;
  std::function<void(Step, const DoctorFacts&)> end;  // with what is known by then
};

/// Asks kernel, daemon, file and, through the tunnel, the peers (`only`: just the one of this name
/// or key). Else why it could not look, for people: there is no such peer, no file of this name, no right.
[[nodiscard]] std::expected<DoctorFacts, std::string> gather_facts(
    client::DeviceClient& devices, const std::string& interface_or_path, const std::string& only,
    const Progress& progress = {});

}  // namespace ferrule::diagnosis
