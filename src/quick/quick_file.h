// Configuration files of wg-quick's, read.
#pragma once

#include <optional>
#include <string>

#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/named_peers.h"

namespace ferrule::quick {

/// A file, and the interface that it is for. Move-only, since it holds keys.
struct QuickFile {
  std::string interface;
  std::string path;   // without symbolic links
  std::string given;  // as it was named: the interface has its name from there
  control::ConfDocument document;
  control::Configuration configuration;
  std::optional<control::PeerList> peers = {};  // see named_peers
};
/// The peers as people mean them, read when they are first asked for.
[[nodiscard]] const control::PeerList& named_peers(QuickFile& file);

/// Where a file and its interface are.
struct QuickPlace {
  std::string interface;
  std::string path;   // without symbolic links
  std::string given;  // with them
};

}  // namespace ferrule::quick
