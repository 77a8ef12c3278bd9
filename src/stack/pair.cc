#include "stack/pair.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

namespace ferrule::stack {

Result<Pair> make_pair(int type) {
  int ends[2];
  if (::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(system_error(errno, "open a pair of sockets"));
  }
  return Pair{io::UniqueFd(ends[0]), io::UniqueFd(ends[1])};
}

std::uint64_t identity_of(int socket) noexcept {
  struct stat status{};
  if (::fstat(socket, &status) != 0 || !S_ISSOCK(status.st_mode)) return 0;
  return status.st_ino;
}

}  // namespace ferrule::stack
