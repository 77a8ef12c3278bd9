#include "cli/wg/key_commands.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/key_text.h"
#include "cli/terminal/key_output.h"
#include "control/conf_document.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "files/input.h"

namespace ferrule::cli {

namespace {

bool takes_no_arguments(Console& console, Arguments arguments) {
  if (arguments.size() == 1) return true;
  console.err.print("Usage: {} {}\n", console.program, arguments[0]);
  return false;
}

void print_key(Output& out, std::span<const std::uint8_t, kKeySize> key) {
  write_key(out, key);
  out.write("\n");
}

bool is_world_accessible_file(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IRWXO) != 0;
}

// Zero bytes too: keys come out of buffers and device trees.
bool is_blank(char c) { return c == '\0' || control::is_conf_space(c); }

}  // namespace

int run_genkey(Console& console, Arguments arguments) {
  if (!takes_no_arguments(console, arguments)) return 1;
  if (is_world_accessible_file(console.out.fd())) {
    console.err.write(
        "Warning: writing to world accessible file.\n"
        "Consider setting the umask to 077 and trying again.\n");
  }
  PrivateKey key;
  crypto::SystemRng rng;
  if (!rng.fill(key.mut_bytes())) {
    console.err.print("getrandom: {}\n", std::strerror(errno));
    return 1;
  }
  if (arguments[0] == "genkey") crypto::clamp(key);
  print_key(console.out, key.bytes());
  return 0;
}

int run_pubkey(Console& console, Arguments arguments) {
  if (!takes_no_arguments(console, arguments)) return 1;
  std::array<char, kKeyBase64Size> text;
  const std::size_t size = files::read_up_to(console.in, text);
  auto secret = secret_from_base64({text.data(), size});
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (size == text.size() && !files::rest_is(is_blank, console.in)) {
    console.err.print("{}: Trailing characters found after key\n", console.program);
    return 1;
  }
  if (!secret) {
    console.err.print("{}: Key is not the correct length or format\n", console.program);
    return 1;
  }
  print_key(console.out, crypto::public_key_of(PrivateKey(std::move(*secret))).bytes);
  return 0;
}

}  // namespace ferrule::cli
