#include "io/linux/run_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ferrule::io {

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

// Interfaces of other network namespaces may have the same names.
std::string run_file(const std::string& interface, const std::string& suffix) {
  struct stat space{};
  (void)stat("/proc/self/ns/net", &space);
  return std::string(kRunFolder) + '/' + std::to_string(space.st_ino) + '-' + interface + suffix;
}

}  // namespace ferrule::io
