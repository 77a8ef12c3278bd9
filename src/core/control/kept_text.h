// What outlives it when a .conf file is written anew from the state of an interface: comments, and the
// peers that are disabled or have expired.
#pragma once

#include <expected>
#include <map>
#include <set>

#include "base/keys.h"
#include "control/conf_document.h"
#include "control/named_peers.h"
#include "control/wiped_text.h"

namespace ferrule::control {

/// Lines of the old file, and where they are to stand in the new one. Move-only: comments may hold
/// keys.
struct KeptText {
  WipedText before;     // above [Interface], with an empty line below if it had one
  WipedText interface;  // "[Interface]" and its comments
  std::map<PublicKey, WipedText> peers;  // "[Peer]", the comments in it, and all that stands above
  WipedText after;                       // at the end
};

/// For a new file with the peers `present`; or what is wrong with the old one. A comment behind a value
/// becomes a line "# Key: comment", since the value may be another one now.
[[nodiscard]] std::expected<KeptText, ConfErrors> kept_text(const ConfDocument& document,
                                                            const std::set<PublicKey>& present,
                                                            Date now);

}  // namespace ferrule::control
