// Words of other programs' files, and what to do with them here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/conf_document.h"

namespace ferrule::control {

/// `program` tells words of one kind from others: each kind is spoken of once a file.
struct ForeignWord {
  std::string_view program;
  std::string what;  // "Jc is a key of AmneziaWG's: ..."
};

/// A key of a section, or the name of a section with its brackets; none when nobody is known to use it.
[[nodiscard]] std::optional<ForeignWord> foreign_key(std::string_view written,
                                                     ConfSectionKind section);
[[nodiscard]] std::optional<ForeignWord> foreign_section(std::string_view written);

/// The name of a peer in a comment of another tool's: "### Client alice", "# BEGIN_PEER alice". A part
/// of the line; "" when it has none.
[[nodiscard]] std::string_view foreign_name(std::string_view line);

}  // namespace ferrule::control
