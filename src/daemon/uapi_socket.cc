#include "daemon/uapi_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/linux/stream.h"

namespace ferrule::daemon {

namespace {

constexpr int kBacklog = 128;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return std::unexpected(system_error(ENAMETOOLONG, path));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Says, too, what whoever has started it without the right to can do.
Error refusal(int error, const std::string& attempted) {
  Error refused = system_error(error, attempted);
  if (error == EACCES || error == EPERM) refused.what += "; needs root, or a socket by WG_UAPI_FD";
  return refused;
}

// Whether a process still listens there.
bool is_live(const sockaddr_un& address) {
  const io::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // EAGAIN: its queue of connections is full, so there is one.
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;
}

// Whether a listening socket is known to have another file than the one at `path`, or none: what lies
// there is then another daemon's, whose interface has the same name in another network namespace.
bool has_file_elsewhere(int fd, const std::string& path) {
  sockaddr_un own{};
  socklen_t size = sizeof own;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0) return false;
  if (own.sun_path[0] == '\0') return true;
  const std::string own_path(own.sun_path, ::strnlen(own.sun_path, sizeof own.sun_path));
  struct stat ours;
  struct stat there;
  if (::stat(own_path.c_str(), &ours) != 0) return own_path[0] == '/' && errno == ENOENT;
  return ::stat(path.c_str(), &there) == 0 &&
         (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev);
}

// Held by one process at a time. Its file goes when it does.
class StartLock {
 public:
  static Result<StartLock> take(const std::string& path) {
    for (;;) {
      io::UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!fd) return std::unexpected(refusal(errno, "open " + path));
      while (::flock(fd.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return std::unexpected(system_error(errno, "lock " + path));
      }
      // The one before has removed the file, and another may have made it anew.
      struct stat ours;
      struct stat there;
      if (::fstat(fd.get(), &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
          ours.st_ino == there.st_ino) {
        return StartLock(std::move(fd), path);
      }
    }
  }

  StartLock(StartLock&&) = default;
  StartLock& operator=(StartLock&&) = delete;
  ~StartLock() {
    if (fd_) ::unlink(path_.c_str());
  }

 private:
  StartLock(io::UniqueFd fd, std::string path) noexcept
      : fd_(std::move(fd)), path_(std::move(path)) {}

  io::UniqueFd fd_;
  std::string path_;
};

}  // namespace

std::string uapi_socket_path(const std::string& interface, const std::string& directory) {
  return directory + "/" + interface + ".sock";
}

Result<UapiSocket> UapiSocket::listen(const std::string& interface, const std::string& directory) {
  const std::string path = uapi_socket_path(interface, directory);
  const Result<sockaddr_un> address = address_of(path);
  if (!address) return std::unexpected(address.error());
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return std::unexpected(refusal(errno, "mkdir " + directory));
  }
  // Of two that start at once, each would find the other's file with nobody listening yet.
  const Result<StartLock> lock = StartLock::take(path + ".lock");
  if (!lock) return std::unexpected(lock.error());
  if (is_live(*address)) {
    return std::unexpected(
        make_error(EADDRINUSE, interface + " is already running: " + path + " answers"));
  }
  ::unlink(path.c_str());
  io::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return std::unexpected(system_error(errno, "socket"));
  const mode_t old_mask = ::umask(077);  // there is no moment at which others may connect
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int bind_errno = errno;
  ::umask(old_mask);
  if (bound != 0) return std::unexpected(system_error(bind_errno, "bind " + path));
  UapiSocket socket(std::move(fd), directory, path);
  ::chmod(path.c_str(), 0600);
  socket.watch();
  if (::listen(socket.poll_fd(), kBacklog) != 0) {
    return std::unexpected(system_error(errno, "listen on " + path));
  }
  return socket;
}

Result<UapiSocket> UapiSocket::adopt(io::UniqueFd fd, const std::string& interface) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0) return std::unexpected(system_error(errno, "WG_UAPI_FD"));
  ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return std::unexpected(make_error(EINVAL, "WG_UAPI_FD: expected a listening socket"));
  }
  const bool is_elsewhere = has_file_elsewhere(fd.get(), uapi_socket_path(interface));
  UapiSocket socket(std::move(fd), kUapiSocketDirectory, uapi_socket_path(interface));
  if (!is_elsewhere) socket.watch();
  return socket;
}

UapiSocket::~UapiSocket() {
  if (listener_ && is_own_file()) ::unlink(path_.c_str());
}

void UapiSocket::watch() {
  struct stat status;
  // An adopted socket may have its file elsewhere, or none: then there is nothing to watch.
  if (::stat(path_.c_str(), &status) != 0) return;
  inode_ = status.st_ino;
  watch_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ::inotify_add_watch(watch_.get(), directory_.c_str(),
                      IN_DELETE | IN_MOVE | IN_CREATE | IN_DELETE_SELF);
}

bool UapiSocket::is_own_file() const {
  struct stat status;
  return inode_ != 0 && ::stat(path_.c_str(), &status) == 0 && status.st_ino == inode_;
}

bool UapiSocket::removed() {
  char events[4096];
  while (::read(watch_.get(), events, sizeof events) > 0) {
  }
  if (inode_ == 0) return false;
  struct stat status;
  if (::stat(path_.c_str(), &status) == 0) return status.st_ino != inode_;
  return errno == ENOENT || errno == ENOTDIR;  // what can't be seen any more is not gone
}

std::unique_ptr<io::Stream> UapiSocket::accept() { return io::accept_stream(listener_.get()); }

}  // namespace ferrule::daemon
