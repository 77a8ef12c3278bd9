#include "files/versions.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <optional>

#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::files {

namespace {

namespace fs = std::filesystem;

fs::path real_path(const std::string& path) {
  std::error_code none;
  const fs::path real = fs::weakly_canonical(path, none);
  return none ? fs::path(path) : real;
}

fs::path folder_of(const fs::path& file) { return file.parent_path() / kVersionsFolder; }

// Of a name like "wg0.conf.17".
std::optional<std::uint64_t> number_in(const std::string& name, const std::string& file) {
  if (!name.starts_with(file + '.')) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + file.size() + 1, end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// Nobody else may put something into the place of what was kept.
Result<void> make_folder(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return std::unexpected(system_error(errno, folder.string()));
  }
  struct stat status;
  if (lstat(folder.c_str(), &status) != 0)
    return std::unexpected(system_error(errno, folder.string()));
  const bool is_ours =
      S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 077) == 0;
  if (is_ours) return {};
  return std::unexpected(make_error(EPERM, folder.string() + ": it is not its owner's alone"));
}

}  // namespace

std::vector<Version> versions_of(const std::string& path) {
  const fs::path file = real_path(path);
  std::vector<Version> versions;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder_of(file), none)) {
    const auto number = number_in(entry.path().filename(), file.filename());
    struct stat status;
    if (!number || lstat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    versions.push_back({*number, status.st_mtim.tv_sec, entry.path()});
  }
  std::ranges::sort(versions, std::ranges::greater(), &Version::number);
  return versions;
}

Result<Version> keep_version(const std::string& path) {
  const fs::path file = real_path(path);
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  if (text->size() > kMaxVersionBytes) return std::unexpected(system_error(EFBIG, path));
  if (auto made = make_folder(folder_of(file)); !made) return std::unexpected(made.error());
  auto versions = versions_of(path);
  Version kept{versions.empty() ? 1 : versions.front().number + 1, std::time(nullptr), {}};
  kept.path = folder_of(file) / (file.filename().string() + '.' + std::to_string(kept.number));
  if (auto written = write_new_file(kept.path, text->view()); !written) {
    return std::unexpected(written.error());
  }
  for (; versions.size() >= kMaxVersions; versions.pop_back()) forget_version(versions.back());
  return kept;
}

void forget_version(const Version& version) { unlink(version.path.c_str()); }

Result<std::string> keep_undone(const std::string& path, const control::WipedText& text) {
  const fs::path file = real_path(path);
  if (auto made = make_folder(folder_of(file)); !made) return std::unexpected(made.error());
  const std::string to = folder_of(file) / (file.filename().string() + ".undone");
  auto staged = StagedFile::write(to, text);
  if (!staged) return std::unexpected(staged.error());
  if (auto written = staged->commit(); !written) return std::unexpected(written.error());
  return to;
}

}  // namespace ferrule::files
