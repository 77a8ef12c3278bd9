#include "cli/peer/peer_file.h"

#include "cli/terminal/conf_text.h"
#include "cli/terminal/not_there.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/linux/ending_signals.h"

namespace ferrule::cli {

namespace {

using control::NamedPeer;

std::nullopt_t refuse(Console& console, const Error& error) {
  console.err.print("{}\n", error.what);
  return std::nullopt;
}

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

std::optional<PeerFile> PeerFile::open(Console& console, std::string_view name_or_path,
                                       Mistakes mistakes) {
  auto path = files::find_conf(name_or_path);
  if (!path) return refuse(console, path.error());
  if (access(path->path.c_str(), F_OK) != 0 && errno == ENOENT) {
    say_no_file(console, path->path, name_or_path);
    return std::nullopt;
  }
  auto lock = files::lock_folder_of(path->path);
  if (!lock) return refuse(console, lock.error());
  auto text = read_conf_or_say(console, path->path);
  if (!text) return std::nullopt;
  PeerFile file(std::move(*path), std::move(*lock), std::move(*text));
  control::PeerList list = control::list_peers(file.document_);
  print_errors(console, list.errors);
  print_errors(console, list.errors_of_disabled);
  print_errors(console, list.dates_of_nobody);
  file.is_whole_ = list.errors.empty() && list.errors_of_disabled.empty();
  if (!file.is_whole_ && mistakes == Mistakes::refused) return std::nullopt;
  // Mistakes were told with the lines that the file has; now each peer's lines shall be its alone.
  control::set_disabled_apart(file.document_);
  file.peers_ = control::list_peers(file.document_).peers;
  auto device = console.devices->get(file.interface());
  if (device) {
    file.device_ = std::move(*device);
  } else if (device.error().code != ENODEV) {
    return refuse(console, device.error());
  }
  return file;
}

const NamedPeer* PeerFile::find(Console& console, std::string_view name_or_key) const {
  const NamedPeer* peer = control::find_peer(peers_, name_or_key);
  if (peer != nullptr) {
    const bool is_its_alone = std::ranges::none_of(peers_, [&](const NamedPeer& other) {
      return other.name == name_or_key && other.conf.public_key != peer->conf.public_key;
    });
    if (is_its_alone) return peer;
    console.err.print("{}: two peers are called `{}': say which by its public key\n", path(),
                      name_or_key);
    return nullptr;
  }
  std::vector<std::string> names;
  for (const NamedPeer& other : peers_) names.push_back(other.name);
  std::erase(names, std::string());
  console.err.print("{}: {}\n", console.program,
                    is_not(name_or_key, "a peer of " + interface(), names));
  return nullptr;
}

bool PeerFile::is_running(const NamedPeer& peer) const {
  return device_ && std::ranges::any_of(device_->peers, [&](const protocol::PeerStatus& status) {
           return status.public_key == peer.conf.public_key;
         });
}

protocol::DeviceChange PeerFile::undo_of(const protocol::DeviceChange& change) const {
  protocol::DeviceChange undo;
  for (const protocol::PeerChange& peer : change.peers) {
    const auto before =
        std::ranges::find(device_->peers, peer.public_key, &protocol::PeerStatus::public_key);
    if (before != device_->peers.end()) {
      undo.peers.push_back(change_to(*before));
    } else {
      undo.peers.emplace_back().public_key = peer.public_key;
      undo.peers.back().remove = true;
    }
  }
  return undo;
}

bool PeerFile::apply(Console& console, const protocol::DeviceChange& change) {
  const io::SignalsWait wait;
  auto staged = files::StagedFile::write(path(), document_.text());
  if (!staged) {
    console.err.print("{}\nNothing was changed.\n", staged.error().what);
    return false;
  }
  const bool is_live = device_.has_value() && !change.peers.empty();
  if (is_live) {
    if (const auto set = console.devices->set(interface(), change); !set) {
      console.err.print("{}: the device refused: {}\nNothing was changed.\n", interface(),
                        set.error().what);
      return false;
    }
  }
  const auto written = staged->commit_edit();
  if (written) return true;
  console.err.print("{}\n", written.error().what);
  if (is_live && !console.devices->set(interface(), undo_of(change))) {
    console.err.print("{}: the device could not be brought back to what it was\n", interface());
  } else {
    console.err.write("Nothing was changed.\n");
  }
  return false;
}

}  // namespace ferrule::cli
