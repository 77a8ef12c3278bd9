#include "daemon/background.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace ferrule::daemon {

namespace {

// The service manager's protocol (sd_notify(3)) is one datagram: not worth a library.
io::UniqueFd connect_service_manager() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  io::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  (void)::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  return fd;
}

[[noreturn]] void wait_for_child(const io::UniqueFd& pipe) {
  char byte;
  ssize_t got;
  do {
    got = ::read(pipe.get(), &byte, 1);
  } while (got < 0 && errno == EINTR);
  ::_exit(got == 1 ? 0 : 1);
}

}  // namespace

Result<Readiness> Readiness::go_to_background() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(system_error(errno, "pipe"));
  io::UniqueFd read_end(ends[0]);
  io::UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(system_error(errno, "fork"));
  if (child > 0) {
    write_end.reset();
    wait_for_child(read_end);
  }
  ::setsid();
  return Readiness(std::move(write_end));
}

void Readiness::prepare() {
  manager_ = connect_service_manager();
  if (!parent_) return;
  (void)!::chdir("/");
  null_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

void Readiness::ready(bool keep_output) {
  constexpr std::string_view kReady = "READY=1";
  if (manager_) (void)::send(manager_.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL);
  manager_.reset();
  if (!parent_) return;
  ::dup2(null_.get(), STDIN_FILENO);
  if (!keep_output) {
    ::dup2(null_.get(), STDOUT_FILENO);
    ::dup2(null_.get(), STDERR_FILENO);
  }
  null_.reset();
  (void)!::write(parent_.get(), "r", 1);
  parent_.reset();
}

}  // namespace ferrule::daemon
