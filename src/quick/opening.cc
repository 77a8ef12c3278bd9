#include "quick/opening.h"

namespace ferrule::quick {

Attempt<Opening> look_ahead(const QuickFile& file, files::Listener& listener) {
  const auto& name = file.configuration.interface.table;
  const auto table = parse_table(name);
  if (!table) {
    return failed_at(file, "Table", *name, "Table: there is no routing table of this name");
  }
  return Opening{*table, files::look_up_endpoints(listener, file.configuration)};
}

}  // namespace ferrule::quick
