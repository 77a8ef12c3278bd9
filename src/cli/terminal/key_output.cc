#include "cli/terminal/key_output.h"

#include <cstdlib>
#include <string_view>

namespace ferrule::cli {

bool shows_secrets() {
  const char* hide = std::getenv("WG_HIDE_KEYS");
  return hide != nullptr && std::string_view(hide) == "never";
}

}  // namespace ferrule::cli
