#include "cli/conf_file.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace ferrule::cli {

namespace {

constexpr std::string_view kFolder = "/etc/wireguard/";
constexpr std::string_view kSuffix = ".conf";

bool is_interface_name(std::string_view name) {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '=' || c == '+' || c == '.' || c == '-';
  };
  return !name.empty() && name.size() < IF_NAMESIZE && std::ranges::all_of(name, is_good);
}

// All of `text` to `fd`, and to the disk.
Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(system_error(errno, "write " + path));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS) {
    return std::unexpected(system_error(errno, "write " + path));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

}  // namespace

Result<ConfPath> find_conf(std::string_view name_or_path) {
  ConfPath conf;
  if (name_or_path.find('/') == name_or_path.npos) {
    conf.interface = name_or_path;
    conf.path = std::string(kFolder) + conf.interface + std::string(kSuffix);
  } else {
    conf.path = name_or_path;
    conf.interface = std::filesystem::path(conf.path).stem();
  }
  if (is_interface_name(conf.interface)) return conf;
  return std::unexpected(make_error(
      EINVAL, conf.interface + ": an interface's name has 1 to 15 letters, digits, or _=+.-"));
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : path_(std::move(other.path_)), staged_(std::exchange(other.staged_, {})) {}

StagedFile::~StagedFile() {
  if (!staged_.empty()) unlink(staged_.c_str());
}

Result<StagedFile> StagedFile::write(const std::string& path, const control::WipedText& text) {
  std::error_code error;
  std::string target = std::filesystem::weakly_canonical(path, error);
  if (error) target = path;
  std::string name = target + ".XXXXXX";
  const io::UniqueFd fd(mkostemp(name.data(), O_CLOEXEC));  // mode 0600
  if (!fd) return std::unexpected(system_error(errno, "write " + name));
  StagedFile staged(target, name);
  struct stat old;
  // Whose file it was it stays, where that may be given away.
  if (stat(target.c_str(), &old) == 0) (void)!fchown(fd.get(), old.st_uid, old.st_gid);
  if (auto written = write_all(fd.get(), text.view(), name); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return staged;
}

Result<void> StagedFile::commit() {
  if (rename(staged_.c_str(), path_.c_str()) != 0) {
    return std::unexpected(system_error(errno, "write " + path_));
  }
  staged_.clear();
  const io::UniqueFd folder(open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) fsync(folder.get());
  return {};
}

Result<void> write_new_file(const std::string& path, std::string_view text) {
  const io::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return std::unexpected(system_error(errno, "write " + path));
  auto written = write_all(fd.get(), text, path);
  if (!written) unlink(path.c_str());
  return written;
}

Result<io::UniqueFd> lock_folder_of(const std::string& path) {
  const std::string folder = folder_of(path);
  io::UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return std::unexpected(system_error(errno, folder));
  while (flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return std::unexpected(system_error(errno, "lock " + folder));
  }
  return fd;
}

}  // namespace ferrule::cli
