// Keys on their way out.
#pragma once

#include "files/key_lines.h"

namespace ferrule::cli {

using files::write_key;

/// True when keys that are secret may be shown to people: WG_HIDE_KEYS is `never`.
[[nodiscard]] bool shows_secrets();

}  // namespace ferrule::cli
