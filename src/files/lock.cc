#include "files/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ferrule::files {

Result<io::UniqueFd> take_lock(const std::string& name, Patience patience) {
  if (auto made = make_run_folder(); !made) return std::unexpected(made.error());
  const std::string path = std::string(kRunFolder) + '/' + name + ".lock";
  io::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return std::unexpected(system_error(errno, path));
  while (flock(fd.get(), LOCK_EX | (patience == Patience::none ? LOCK_NB : 0)) != 0) {
    if (errno != EINTR) return std::unexpected(system_error(errno, "lock " + path));
  }
  return fd;
}

}  // namespace ferrule::files
