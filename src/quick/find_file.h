// Configuration files of wg-quick's: where they are, and what they say.
#pragma once

#include <string>
#include <string_view>

#include "files/listener.h"
#include "quick/failure.h"
#include "quick/quick_file.h"

namespace ferrule::quick {

/// Finds a file by the name of its interface, in /etc/wireguard, or by its own path, which ends with
/// NAME.conf. Warns of one that everybody can read.
[[nodiscard]] Attempt<QuickPlace> find_quick_file(std::string_view argument,
                                                  files::Listener& listener);
/// The same, and reads it; warns of what it has that is passed over.
[[nodiscard]] Attempt<QuickFile> read_quick_file(std::string_view argument,
                                                 files::Listener& listener);
/// A file that was read already. The interface is called as it is, or, where that is no name for one, wg0:
/// for interfaces that only programs inside see.
[[nodiscard]] Attempt<QuickFile> read_quick_text(const std::string& path, std::string_view text);

}  // namespace ferrule::quick
