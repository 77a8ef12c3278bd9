#include "files/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ferrule::files {

Result<void> make_run_folder() {
  if (geteuid() != 0) return std::unexpected(system_error(EACCES, kRunFolder));
  if (mkdir(kRunFolder, 0755) != 0 && errno != EEXIST) {
    return std::unexpected(system_error(errno, kRunFolder));
  }
  struct stat folder;
  if (lstat(kRunFolder, &folder) != 0) return std::unexpected(system_error(errno, kRunFolder));
  const bool is_ours =
      S_ISDIR(folder.st_mode) && folder.st_uid == 0 && (folder.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (is_ours) return {};
  return std::unexpected(
      make_error(EPERM, std::string(kRunFolder) + ": it is not root's alone to write: remove it"));
}

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
