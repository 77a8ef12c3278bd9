#include "cli/proxy/readiness.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "io/linux/fd.h"

namespace ferrule::cli {

namespace {

void tell_service_manager() {
  constexpr std::string_view kReady = "READY=1";
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const io::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  (void)::sendto(fd.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

}  // namespace

void tell_ready(std::optional<int> ready_fd) {
  tell_service_manager();
  if (!ready_fd || *ready_fd < 0) return;
  (void)!::write(*ready_fd, "\n", 1);
  if (*ready_fd > STDERR_FILENO) ::close(*ready_fd);
}

}  // namespace ferrule::cli
