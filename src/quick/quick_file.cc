#include "quick/quick_file.h"

namespace ferrule::quick {

const control::PeerList& named_peers(QuickFile& file) {
  if (!file.peers) file.peers = control::list_peers(file.document);
  return *file.peers;
}

}  // namespace ferrule::quick
