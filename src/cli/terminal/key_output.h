// Keys on their way out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/keys.h"
#include "cli/terminal/output.h"

namespace ferrule::cli {

/// Writes a key in base64, leaving no copy of it behind.
void write_key(Output& out, std::span<const std::uint8_t, kKeySize> key);

/// True when keys that are secret may be shown to people: WG_HIDE_KEYS is `never`.
[[nodiscard]] bool shows_secrets();

}  // namespace ferrule::cli
