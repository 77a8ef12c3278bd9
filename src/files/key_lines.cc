#include "files/key_lines.h"

#include <array>

#include "base/key_text.h"

namespace ferrule::files {

void append_line(control::WipedText& text, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  text.append(name);
  text.append(" = ");
  text.append(value);
  text.append("\n");
}

void append_key_line(control::WipedText& text, std::string_view name,
                     std::span<const std::uint8_t, kKeySize> key) {
  std::array<char, kKeyBase64Size> digits;
  key_to_base64(key, digits);
  append_line(text, name, {digits.data(), digits.size()});
  wipe({reinterpret_cast<std::uint8_t*>(digits.data()), digits.size()});
}

void write_key(Output& out, std::span<const std::uint8_t, kKeySize> key) {
  std::array<char, kKeyBase64Size> text;
  key_to_base64(key, text);
  out.write({text.data(), text.size()});
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

}  // namespace ferrule::files
