// A configuration file with its peers, and the device that runs by it.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "client/device_client.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/named_peers.h"
#include "control/uapi_client.h"
#include "files/conf_file.h"
#include "files/failure.h"

namespace ferrule::files {

enum class PeerMiss { nobody, several };

/// As both were when they were read. Move-only, since it holds keys.
struct PeerFile {
  std::string path;
  std::string interface;
  control::ConfDocument document;
  control::Configuration configuration;
  /// The peers, and what is wrong with those that are left out.
  control::PeerList list;
  /// None when it does not run.
  std::optional<control::DeviceStatus> device;

  /// Whether no peer is left out.
  [[nodiscard]] bool is_whole() const {
    return list.errors.empty() && list.errors_of_disabled.empty();
  }
  /// Whether the device runs and has this peer.
  [[nodiscard]] bool is_running(const control::NamedPeer& peer) const;
  /// A peer by its name or key, or why it is not clear who that is.
  [[nodiscard]] std::expected<const control::NamedPeer*, PeerMiss> find(
      std::string_view name_or_key) const;
};

/// Where the file of an interface is; it is there.
[[nodiscard]] Attempt<ConfPath> find_peer_file(std::string_view name_or_path);
/// Whoever changes it meanwhile is not waited for. Peers with mistakes are no reason to refuse it.
[[nodiscard]] Attempt<PeerFile> read_peer_file(client::DeviceClient& devices, const ConfPath& path);

}  // namespace ferrule::files
