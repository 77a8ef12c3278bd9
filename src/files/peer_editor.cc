#include "files/peer_editor.h"

#include <algorithm>

#include "io/linux/ending_signals.h"

namespace ferrule::files {

namespace {

// What makes a peer again as it was.
protocol::PeerChange change_to(const protocol::PeerStatus& status) {
  protocol::PeerChange change;
  change.public_key = status.public_key;
  change.replace_allowed_ips = true;
  change.preshared_key = PresharedKey(status.preshared_key.clone());
  if (!status.endpoint.is_none()) change.endpoint = status.endpoint;
  change.persistent_keepalive_s = status.persistent_keepalive_s;
  for (const Cidr& cidr : status.allowed_ips) change.allowed_ips.push_back({cidr, false});
  return change;
}

}  // namespace

Attempt<PeerEditor> PeerEditor::open(client::DeviceClient& devices, const ConfPath& path) {
  auto lock = lock_folder_of(path.path);
  if (!lock) return std::unexpected(Failure{lock.error().what});
  auto file = read_peer_file(devices, path);
  if (!file) return std::unexpected(std::move(file.error()));
  // Mistakes are told with the lines that the file has.
  if (control::set_disabled_apart(file->document)) {
    file->list.peers = control::list_peers(file->document).peers;
  }
  return PeerEditor(devices, std::move(*lock), std::move(*file));
}

protocol::DeviceChange PeerEditor::undo_of(const protocol::DeviceChange& change) const {
  protocol::DeviceChange undo;
  for (const protocol::PeerChange& peer : change.peers) {
    const auto before =
        std::ranges::find(file_.device->peers, peer.public_key, &protocol::PeerStatus::public_key);
    if (before != file_.device->peers.end()) {
      undo.peers.push_back(change_to(*before));
    } else {
      undo.peers.emplace_back().public_key = peer.public_key;
      undo.peers.back().remove = true;
    }
  }
  return undo;
}

std::expected<void, EditFailure> PeerEditor::apply(const protocol::DeviceChange& change) {
  const io::SignalsWait wait;
  auto staged = StagedFile::write(file_.path, file_.document.text());
  if (!staged) return std::unexpected(EditFailure{staged.error().what});
  const bool is_live = file_.device.has_value() && !change.peers.empty();
  if (is_live) {
    if (const auto set = devices_->set(file_.interface, change); !set) {
      return std::unexpected(
          EditFailure{file_.interface + ": the device refused: " + set.error().what});
    }
  }
  const auto written = staged->commit_edit();
  if (written) return {};
  const bool is_as_before = !is_live || devices_->set(file_.interface, undo_of(change));
  return std::unexpected(EditFailure{written.error().what, is_as_before});
}

}  // namespace ferrule::files
