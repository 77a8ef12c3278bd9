#include "files/conf_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "files/input.h"
#include "files/lock.h"
#include "files/versions.h"

namespace ferrule::files {

namespace {

constexpr std::string_view kFolder = "/etc/wireguard/";

Result<void> flush_to_disk(Output& out, const std::string& path) {
  if (const int error = out.flush(); error != 0) {
    return std::unexpected(system_error(error, "write " + path));
  }
  if (fsync(out.fd()) != 0 && errno != EINVAL && errno != EROFS) {
    return std::unexpected(system_error(errno, "write " + path));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

std::string without_links(const std::string& path) {
  std::error_code error;
  std::string target = std::filesystem::weakly_canonical(path, error);
  return error ? path : target;
}

bool is_writable_file(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), W_OK) == 0;
}

bool write_all(int fd, std::string_view text) {
  off_t at = 0;
  while (!text.empty()) {
    const ssize_t written = pwrite(fd, text.data(), text.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ftruncate(fd, at) == 0 && (fsync(fd) == 0 || errno == EINVAL);
}

// Not in one step: what was there before is put back if it does not work out.
Result<void> write_into(const std::string& path, int content) {
  const auto before = read_file(path);
  if (!before) return std::unexpected(before.error());
  const auto text = read_file(fmt::format("/proc/self/fd/{}", content));
  if (!text) return std::unexpected(text.error());
  const io::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd && write_all(fd.get(), text->view())) return {};
  const int error = errno;
  if (fd) (void)write_all(fd.get(), before->view());
  return std::unexpected(system_error(error, "write " + path));
}

const control::ConfEntry* find_entry(const control::ConfDocument& document, std::string_view key,
                                     std::string_view value) {
  const control::ConfEntry* found = nullptr;
  bool holds_value = false;
  for (const control::ConfSection& section : document.sections()) {
    for (const control::ConfEntry& entry : section.entries) {
      if (!control::is_named(entry.key, key)) continue;
      const bool holds = entry.value.find(value) != entry.value.npos;
      if (holds_value && !holds) continue;
      found = &entry;
      holds_value = holds;
    }
  }
  return found;
}

}  // namespace

control::ConfError error_about(const control::ConfDocument& document, std::string_view key,
                               std::string_view value, std::string what) {
  const control::ConfEntry* entry = find_entry(document, key, value);
  if (entry != nullptr) {
    const std::size_t at = entry->value.find(value);
    const std::string_view part =
        at == entry->value.npos ? entry->value : entry->value.substr(at, value.size());
    return document.error_at(entry->line, part, std::move(what));
  }
  if (document.sections().empty()) return {document.file(), 1, 1, 0, std::move(what), ""};
  const std::size_t line = document.sections().front().header_line;
  return document.error_at(line, control::trimmed(document.line(line)), std::move(what));
}

bool is_interface_name(std::string_view name) noexcept {
  const auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '=' || c == '+' || c == '.' || c == '-';
  };
  return !name.empty() && name.size() < IF_NAMESIZE && std::ranges::all_of(name, is_good);
}

std::string conf_path_of(std::string_view interface) {
  return std::string(kFolder).append(interface).append(kConfSuffix);
}

std::vector<std::string> interfaces_with_files() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder, none)) {
    if (entry.path().extension() == kConfSuffix) names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

Result<ConfPath> find_conf(std::string_view name_or_path) {
  ConfPath conf;
  if (name_or_path.find('/') == name_or_path.npos) {
    conf.interface = name_or_path;
    conf.path = conf_path_of(conf.interface);
  } else {
    conf.path = name_or_path;
    conf.interface = std::filesystem::path(conf.path).stem();
  }
  if (is_interface_name(conf.interface)) return conf;
  return std::unexpected(make_error(
      EINVAL, conf.interface + ": an interface's name has 1 to 15 letters, digits, or _=+.-"));
}

std::expected<ConfText, ConfRefusal> read_conf_text(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(ConfRefusal{text.error().what, {}});
  control::ConfDocument document(path, text->view());
  auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (configuration) return ConfText{std::move(document), std::move(*configuration)};
  return std::unexpected(ConfRefusal{{}, std::move(configuration.error())});
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : path_(std::move(other.path_)),
      staged_(std::exchange(other.staged_, {})),
      content_(std::move(other.content_)) {}

StagedFile::~StagedFile() {
  if (!staged_.empty()) unlink(staged_.c_str());
}

Result<StagedFile> StagedFile::write(const std::string& path,
                                     const std::function<void(Output&)>& print) {
  StagedFile staged(without_links(path));
  std::string name = staged.path_ + ".XXXXXX";
  staged.content_ = io::UniqueFd(mkostemp(name.data(), O_CLOEXEC));  // mode 0600
  if (staged.content_) {
    staged.staged_ = name;
  } else {
    const int error = errno;
    if (is_writable_file(staged.path_)) {
      staged.content_ = io::UniqueFd(memfd_create("ferrule", MFD_CLOEXEC));
    }
    if (!staged.content_) return std::unexpected(system_error(error, "write " + name));
  }
  struct stat old;
  // Whose file it was it stays, where that may be given away.
  if (stat(staged.path_.c_str(), &old) == 0) {
    (void)!fchown(staged.content_.get(), old.st_uid, old.st_gid);
  }
  Output out(staged.content_.get());
  print(out);
  if (auto written = flush_to_disk(out, name); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return staged;
}

Result<StagedFile> StagedFile::write(const std::string& path, const control::WipedText& text) {
  return write(path, [&](Output& out) { out.write(text.view()); });
}

Result<void> StagedFile::commit() {
  if (staged_.empty()) return write_into(path_, content_.get());
  if (rename(staged_.c_str(), path_.c_str()) != 0) {
    // A file that something is mounted on can't be replaced.
    if (errno == EBUSY) return write_into(path_, content_.get());
    return std::unexpected(system_error(errno, "write " + path_));
  }
  staged_.clear();
  const io::UniqueFd folder(open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) fsync(folder.get());
  return {};
}

Result<void> StagedFile::commit_edit() {
  const auto kept = keep_version(path_);
  auto written = commit();
  if (kept && !written) forget_version(*kept);
  return written;
}

Result<void> write_new_file(const std::string& path, std::string_view text) {
  const io::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return std::unexpected(system_error(errno, "write " + path));
  Output out(fd.get());
  out.write(text);
  auto written = flush_to_disk(out, path);
  if (!written) unlink(path.c_str());
  return written;
}

Result<io::UniqueFd> lock_folder_of(const std::string& path) {
  const std::string folder = folder_of(without_links(path));
  io::UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status;
  if (!fd || fstat(fd.get(), &status) != 0) return std::unexpected(system_error(errno, folder));
  // Whoever can read a folder can keep it locked: root, whom others must not stop, has a file instead.
  if (geteuid() == 0) {
    auto lock =
        take_lock(fmt::format("folder-{}-{}", status.st_dev, status.st_ino), Patience::endless);
    if (lock) return lock;
  }
  while (flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return std::unexpected(system_error(errno, "lock " + folder));
  }
  return fd;
}

}  // namespace ferrule::files
