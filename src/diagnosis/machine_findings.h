// What of a file this machine would refuse.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/device_client.h"
#include "control/conf_check.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/named_peers.h"
#include "files/peer_endpoints.h"

namespace ferrule::diagnosis {

/// A file that has been read, and the interface that it is for.
struct FileToCheck {
  std::string path;
  std::string interface;
  const control::ConfDocument& document;
  const control::Configuration& configuration;
  const control::PeerList& peers;  // as people mean them
};

/// Values that mean nothing here: a table without a number, a command that the shell can't read.
[[nodiscard]] std::vector<control::ConfFinding> find_unusable_values(const FileToCheck& file);

/// What stands in the way of bringing the interface up now: a name that is not found, a port or a route
/// that is somebody else's, a program, a device or a right that is missing.
[[nodiscard]] std::vector<control::ConfFinding> find_obstacles(
    client::DeviceClient& devices, const FileToCheck& file,
    const std::vector<files::PeerEndpoint>& endpoints);

/// That no packet filter can have the rules that keep a full tunnel from leaking. `up` says so itself, when
/// it comes to it.
[[nodiscard]] std::vector<control::ConfFinding> find_leaks(const FileToCheck& file);

/// Whether something was found at which `up` and `reload` are sure to fail; with all else they go on.
[[nodiscard]] bool is_obstacle(const control::ConfFinding& finding);

/// Who has a UDP port, of these addresses or of all, as "wg1's" or "taken by nginx (pid 12)"; "" when it is
/// nobody's, or this interface's.
[[nodiscard]] std::string other_owner_of(client::DeviceClient& devices, std::uint16_t port,
                                         const std::string& interface,
                                         const LocalAddresses& addresses = {});

/// How far one looks: at the file alone, at what stands in the way of `up`, or also at what `up` says itself.
enum class Look { offline, before_up, everywhere };

/// What conf_check.h finds too, and mistakes in peers' comments. `endpoints` are those of the peers.
[[nodiscard]] std::vector<control::ConfFinding> find_everything(
    client::DeviceClient& devices, const FileToCheck& file,
    const std::vector<files::PeerEndpoint>& endpoints, Look look);

}  // namespace ferrule::diagnosis
