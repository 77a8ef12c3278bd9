// What is looked at before an interface is changed.
#pragma once

#include <vector>

#include "base/local_place.h"
#include "files/listener.h"
#include "files/peer_endpoints.h"
#include "quick/failure.h"
#include "quick/kill_switch.h"
#include "quick/quick_file.h"
#include "quick/routes.h"

namespace ferrule::quick {

/// Value type.
struct Opening {
  TableChoice table;
  KillSwitch kill_switch = KillSwitch::off;
  bool is_forwarding = false;
  LocalPlace place;
  std::vector<files::PeerEndpoint> endpoints;  // of the file's peers, in their order
};

/// Understands the values that are no numbers or addresses, and looks up where the peers are. One whose name nobody knows now is its own
/// trouble: `resolve --follow` goes on asking.
[[nodiscard]] Attempt<Opening> look_ahead(const QuickFile& file, files::Listener& listener);

}  // namespace ferrule::quick
