#include "cli/terminal/key_output.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "base/key_text.h"

namespace ferrule::cli {

void write_key(Output& out, std::span<const std::uint8_t, kKeySize> key) {
  std::array<char, kKeyBase64Size> text;
  key_to_base64(key, text);
  out.write({text.data(), text.size()});
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

bool shows_secrets() {
  const char* hide = std::getenv("WG_HIDE_KEYS");
  return hide != nullptr && std::string_view(hide) == "never";
}

}  // namespace ferrule::cli
