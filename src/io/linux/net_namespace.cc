#include "io/linux/net_namespace.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <thread>

namespace ferrule::io {
namespace {

Result<UniqueFd> open_here(int domain, int type, int protocol) {
  UniqueFd fd(::socket(domain, type | SOCK_CLOEXEC, protocol));
  if (!fd) return std::unexpected(system_error(errno, "open socket"));
  return fd;
}

Result<UniqueFd> open_there(int domain, int type, int protocol, int namespace_fd) {
  if (::setns(namespace_fd, CLONE_NEWNET) != 0) {
    return std::unexpected(system_error(errno, "enter network namespace"));
  }
  return open_here(domain, type, protocol);
}

}  // namespace

Result<UniqueFd> open_socket(int domain, int type, int protocol, int namespace_fd) {
  if (namespace_fd < 0 || is_own_namespace(namespace_fd)) return open_here(domain, type, protocol);
  Result<UniqueFd> opened = std::unexpected(Error{});
  try {
    std::thread([&] { opened = open_there(domain, type, protocol, namespace_fd); }).join();
  } catch (const std::system_error& error) {
    return std::unexpected(system_error(error.code().value(), "start a thread"));
  }
  return opened;
}

bool is_own_namespace(int namespace_fd) noexcept {
  struct stat own;
  struct stat other;
  if (::stat("/proc/thread-self/ns/net", &own) != 0) return true;
  if (::fstat(namespace_fd, &other) != 0) return true;
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

}  // namespace ferrule::io
