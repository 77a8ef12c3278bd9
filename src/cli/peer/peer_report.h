// What became of reading and changing the file of an interface, told.
#pragma once

#include <string_view>

#include "cli/terminal/command.h"
#include "control/named_peers.h"
#include "files/peer_editor.h"
#include "files/peer_file.h"

namespace ferrule::cli {

using files::PeerEditor;
using files::PeerFile;

/// What is wrong with peers that are left out.
void print_mistakes(Console& console, const control::PeerList& list);
/// A peer by its name or key. When there is none, or another of the same name, says so and returns null.
[[nodiscard]] const control::NamedPeer* find_or_say(Console& console, const PeerFile& file,
                                                    std::string_view name_or_key);
/// Applies what was edited. When that fails, says why and returns false.
[[nodiscard]] bool apply_or_say(Console& console, PeerEditor& editor,
                                const protocol::DeviceChange& change);
/// " (which is not up)" behind the interface's name, or nothing.
[[nodiscard]] std::string_view if_not_up(const PeerFile& file);

}  // namespace ferrule::cli
