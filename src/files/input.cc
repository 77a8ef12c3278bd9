#include "files/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/secret.h"
#include "io/linux/fd.h"

namespace ferrule::files {

namespace {

constexpr std::size_t kPieceBytes = 65536;

void wipe_text(std::span<char> text) {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

std::size_t read_up_to(int fd, std::span<char> to) {
  std::size_t size = 0;
  while (size < to.size()) {
    const ssize_t got = read(fd, to.data() + size, to.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

bool rest_is(bool (*wanted)(char), int fd) {
  std::array<char, 256> rest;
  while (const std::size_t size = read_up_to(fd, rest)) {
    for (char c : std::span(rest).first(size)) {
      if (!wanted(c)) return false;
    }
  }
  return true;
}

Result<control::WipedText> read_fd(int fd, const std::string& name) {
  control::WipedText text;
  const auto piece = std::make_unique<std::array<char, kPieceBytes>>();
  while (true) {
    const ssize_t got = read(fd, piece->data(), piece->size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(system_error(errno, name));
    const auto size = static_cast<std::size_t>(got);
    if (text.size() + size > kMaxFileBytes) return std::unexpected(system_error(EFBIG, name));
    text.append({piece->data(), size});
    wipe_text(std::span(*piece).first(size));
    if (size == 0) return text;
  }
}

Result<control::WipedText> read_file(const std::string& path) {
  const io::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::unexpected(system_error(errno, path));
  return read_fd(fd.get(), path);
}

}  // namespace ferrule::files
