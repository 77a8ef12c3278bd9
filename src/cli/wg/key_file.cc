#include "cli/wg/key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/key_text.h"
#include "control/conf_document.h"
#include "files/input.h"
#include "io/linux/fd.h"

namespace ferrule::cli {

std::optional<Secret<kKeySize>> read_key_file(Console& console, const std::string& path) {
  const io::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    console.err.print("fopen: {}\n", std::strerror(errno));
    return std::nullopt;
  }
  std::array<char, kKeyBase64Size> text;
  const std::size_t size = files::read_up_to(fd.get(), text);
  auto key = secret_from_base64({text.data(), size});
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (size == 0) return Secret<kKeySize>();  // /dev/null
  if (size < text.size()) {
    console.err.write("Invalid length key in key file\n");
    return std::nullopt;
  }
  if (!files::rest_is(control::is_conf_space, fd.get())) {
    console.err.write("Found trailing character in key file\n");
    return std::nullopt;
  }
  if (!key) console.err.print("Key is not the correct length or format in `{}'\n", path);
  return key;
}

}  // namespace ferrule::cli
