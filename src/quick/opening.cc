#include "quick/opening.h"

#include <utility>

#include "control/named_peers.h"
#include "quick/bind.h"
#include "quick/forwarding.h"

namespace ferrule::quick {

Attempt<Opening> look_ahead(const QuickFile& file, files::Listener& listener) {
  const auto& name = file.configuration.interface.table;
  const auto table = parse_table(name);
  if (!table) {
    return failed_at(file, "Table", *name, "Table: there is no routing table of this name");
  }
  const auto kill_switch = kill_switch_of(file.document);
  const auto is_forwarding = forwarding_of(file.document);
  if (!kill_switch) return failed_at(file, "", "", std::string(kKillSwitchExpected));
  if (!is_forwarding) return failed_at(file, "", "", std::string(kForwardExpected));
  auto place = place_of(file.document);
  if (!place) return failed_at(file, "", "", std::move(place.error()));
  if (!place->is_anywhere() &&
      control::interface_note(file.document, "Implementation") == "kernel") {
    return failed_at(file, "", "", std::string(kBindTakesDaemon));
  }
  return Opening{*table, *kill_switch, *is_forwarding, std::move(*place),
                 files::look_up_endpoints(listener, file.configuration)};
}

}  // namespace ferrule::quick
