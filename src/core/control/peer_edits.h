// Changes of a file's peers beyond their names and their switch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/conf_document.h"
#include "control/named_peers.h"

namespace ferrule::control {

/// Puts `lines` in the place of an enabled peer's PublicKey, and takes its PresharedKey out.
void replace_keys(ConfDocument& document, const NamedPeer& peer, std::string_view lines);

/// A peer whose name stands in a comment of another tool's.
struct ForeignName {
  std::size_t header_line = 0;  // of its section
  std::size_t line = 0;         // of the comment
  std::string name;             // as shown_name has it
};
/// Of the peers that have none of ours. In the order of the file.
[[nodiscard]] std::vector<ForeignName> foreign_names(const ConfDocument& document);

/// Makes "# Name = ..." lines of them: of names that are taken, with a number behind. Returns what the
/// peers are called now, in the order of `names`.
std::vector<std::string> adopt_names(ConfDocument& document, const std::vector<ForeignName>& names);

}  // namespace ferrule::control
