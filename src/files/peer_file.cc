#include "files/peer_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "files/not_there.h"

namespace ferrule::files {

using control::NamedPeer;

bool PeerFile::is_running(const NamedPeer& peer) const {
  return device && std::ranges::any_of(device->peers, [&](const protocol::PeerStatus& status) {
           return status.public_key == peer.conf.public_key;
         });
}

std::expected<const NamedPeer*, PeerMiss> PeerFile::find(std::string_view name_or_key) const {
  const NamedPeer* peer = control::find_peer(list.peers, name_or_key);
  if (peer == nullptr) return std::unexpected(PeerMiss::nobody);
  const bool has_namesake = std::ranges::any_of(list.peers, [&](const NamedPeer& other) {
    return other.name == name_or_key && other.conf.public_key != peer->conf.public_key;
  });
  if (has_namesake) return std::unexpected(PeerMiss::several);
  return peer;
}

Attempt<ConfPath> find_peer_file(std::string_view name_or_path) {
  auto path = find_conf(name_or_path);
  if (!path) return std::unexpected(Failure{path.error().what});
  if (access(path->path.c_str(), F_OK) == 0 || errno != ENOENT) return std::move(*path);
  NotThere told = no_file(path->path, name_or_path);
  return std::unexpected(Failure{std::move(told.what), {}, std::move(told.hints)});
}

Attempt<PeerFile> read_peer_file(client::DeviceClient& devices, const ConfPath& path) {
  auto text = read_conf_text(path.path);
  if (!text) {
    return std::unexpected(
        Failure{std::move(text.error().unreadable), std::move(text.error().errors)});
  }
  control::PeerList list = control::list_peers(text->document);
  PeerFile file{path.path,
                path.interface,
                std::move(text->document),
                std::move(text->configuration),
                std::move(list),
                {}};
  auto device = devices.get(path.interface);
  if (device) {
    file.device = std::move(*device);
  } else if (device.error().code != ENODEV) {
    return std::unexpected(Failure{device.error().what});
  }
  return file;
}

}  // namespace ferrule::files
