// Lines of a .conf file, some of which hold keys.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/keys.h"
#include "control/wiped_text.h"
#include "files/output.h"

namespace ferrule::files {

/// Appends "name = value" and a line break; nothing when the value is empty.
void append_line(control::WipedText& text, std::string_view name, std::string_view value);
/// The same for a key, leaving no other copy of it behind.
void append_key_line(control::WipedText& text, std::string_view name,
                     std::span<const std::uint8_t, kKeySize> key);

/// Writes a key in base64, leaving no copy of it behind.
void write_key(Output& out, std::span<const std::uint8_t, kKeySize> key);

}  // namespace ferrule::files
