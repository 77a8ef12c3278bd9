#include "monitor/peer_names.h"

#include <sys/stat.h>

#include "control/named_peers.h"
#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::monitor {

namespace {

PeerNames read_names(const std::string& path) {
  PeerNames names;
  const auto text = files::read_file(path);
  if (!text) return names;
  const auto list = control::list_peers(control::ConfDocument(path, text->view()));
  for (const control::NamedPeer& peer : list.peers) {
    if (!peer.name.empty()) names.emplace(peer.conf.public_key, peer.name);
  }
  return names;
}

}  // namespace

std::shared_ptr<const PeerNames> NameBook::of(const std::string& interface_or_path) {
  static const auto kNone = std::make_shared<const PeerNames>();
  const auto conf = files::find_conf(where_(interface_or_path));
  struct stat status;
  if (!conf || stat(conf->path.c_str(), &status) != 0) return kNone;
  const std::int64_t changed_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  Page& page = pages_[conf->path];
  if (page.names == nullptr || page.changed_ns != changed_ns || page.size != status.st_size) {
    page = {changed_ns, status.st_size, std::make_shared<const PeerNames>(read_names(conf->path))};
  }
  return page.names;
}

}  // namespace ferrule::monitor
