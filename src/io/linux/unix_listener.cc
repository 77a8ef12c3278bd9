#include "io/linux/unix_listener.h"

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

namespace ferrule::io {

namespace {

constexpr int kBacklog = 128;

std::string folder_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return std::unexpected(system_error(ENAMETOOLONG, path));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Whether a process still listens there.
bool is_live(const sockaddr_un& address) {
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
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
      UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!fd) return std::unexpected(system_error(errno, "open " + path));
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
  StartLock(UniqueFd fd, std::string path) noexcept : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Listener>> listen_at(const std::string& path) {
  return UnixListener::listen(path);
}

Result<std::unique_ptr<UnixListener>> UnixListener::listen(const std::string& path) {
  const Result<sockaddr_un> address = address_of(path);
  if (!address) return std::unexpected(address.error());
  const std::string folder = folder_of(path);
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    return std::unexpected(system_error(errno, "mkdir " + folder));
  }
  // Of two that start at once, each would find the other's file with nobody listening yet.
  const Result<StartLock> lock = StartLock::take(path + ".lock");
  if (!lock) return std::unexpected(lock.error());
  if (is_live(*address)) return std::unexpected(make_error(EADDRINUSE, path + " answers"));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return std::unexpected(system_error(errno, "remove " + path));
  }
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return std::unexpected(system_error(errno, "socket"));
  const mode_t old_mask = ::umask(077);  // there is no moment at which others may connect
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int bind_errno = errno;
  ::umask(old_mask);
  if (bound != 0) return std::unexpected(system_error(bind_errno, "bind " + path));
  std::unique_ptr<UnixListener> listener(new UnixListener(std::move(fd), path));
  ::chmod(path.c_str(), 0600);
  listener->watch();
  if (::listen(listener->listener_.get(), kBacklog) != 0) {
    return std::unexpected(system_error(errno, "listen on " + path));
  }
  return listener;
}

Result<std::unique_ptr<UnixListener>> UnixListener::adopt(UniqueFd fd, const std::string& path) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0) return std::unexpected(system_error(errno, "adopt a socket"));
  ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return std::unexpected(make_error(EINVAL, "expected a listening socket"));
  }
  const bool is_elsewhere = has_file_elsewhere(fd.get(), path);
  std::unique_ptr<UnixListener> listener(new UnixListener(std::move(fd), path));
  if (!is_elsewhere) listener->watch();
  return listener;
}

UnixListener::~UnixListener() {
  if (is_own_file()) ::unlink(path_.c_str());
}

void UnixListener::watch() {
  struct stat status;
  // An adopted socket may have its file elsewhere, or none: then there is nothing to watch.
  if (::stat(path_.c_str(), &status) != 0) return;
  inode_ = status.st_ino;
  watch_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ::inotify_add_watch(watch_.get(), folder_of(path_).c_str(),
                      IN_DELETE | IN_MOVE | IN_CREATE | IN_DELETE_SELF);
}

bool UnixListener::is_own_file() const {
  struct stat status;
  return inode_ != 0 && ::stat(path_.c_str(), &status) == 0 && status.st_ino == inode_;
}

bool UnixListener::is_gone() {
  char events[4096];
  while (::read(watch_.get(), events, sizeof events) > 0) {
  }
  if (inode_ == 0) return false;
  struct stat status;
  if (::stat(path_.c_str(), &status) == 0) return status.st_ino != inode_;
  return errno == ENOENT || errno == ENOTDIR;  // what can't be seen any more is not gone
}

std::unique_ptr<Stream> UnixListener::accept() { return accept_stream(listener_.get()); }

}  // namespace ferrule::io
