#include "cli/peer/peer_report.h"

#include <string>
#include <utility>
#include <vector>

#include "cli/terminal/conf_text.h"
#include "cli/terminal/not_there.h"

namespace ferrule::cli {

void print_mistakes(Console& console, const control::PeerList& list) {
  print_errors(console, list.errors);
  print_errors(console, list.errors_of_disabled);
  print_errors(console, list.dates_of_nobody);
}

const control::NamedPeer* find_or_say(Console& console, const PeerFile& file,
                                      std::string_view name_or_key) {
  const auto peer = file.find(name_or_key);
  if (peer) return *peer;
  if (peer.error() == files::PeerMiss::several) {
    console.err.print("{}: two peers are called `{}': say which by its public key\n", file.path,
                      name_or_key);
    return nullptr;
  }
  std::vector<std::string> names;
  for (const control::NamedPeer& other : file.list.peers) {
    if (!other.name.empty()) names.push_back(other.name);
  }
  console.err.print("{}: {}\n", console.program,
                    is_not(name_or_key, "a peer of " + file.interface, names));
  return nullptr;
}

bool apply_or_say(Console& console, PeerEditor& editor, const protocol::DeviceChange& change) {
  const auto done = editor.apply(change);
  if (done) return true;
  console.err.print("{}\n", done.error().what);
  if (done.error().is_as_before) {
    console.err.write("Nothing was changed.\n");
  } else {
    console.err.print("{}: the device could not be brought back to what it was\n",
                      editor.file().interface);
  }
  return false;
}

std::string_view if_not_up(const PeerFile& file) { return file.device ? "" : " (which is not up)"; }

}  // namespace ferrule::cli
