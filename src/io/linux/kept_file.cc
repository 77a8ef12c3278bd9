#include "io/linux/kept_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ferrule::io {

namespace {
constexpr std::size_t kReadAtOnce = 1 << 20;
}

Result<std::unique_ptr<LinuxKeptFile>> LinuxKeptFile::open(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const std::string name = slash == path.npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") {
    return std::unexpected(make_error(EINVAL, path + " names no file"));
  }
  (void)::mkdir(folder.c_str(), 0700);
  UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return std::unexpected(system_error(errno, "open " + folder));
  return std::unique_ptr<LinuxKeptFile>(new LinuxKeptFile(std::move(directory), path, name));
}

Result<std::optional<std::vector<std::uint8_t>>> LinuxKeptFile::read(std::size_t most) const {
  // What is no file (a pipe, say) must not hold us up.
  const UniqueFd file(::openat(directory_.get(), name_.c_str(),
                               O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0) {
    return std::unexpected(system_error(errno, "open " + path_));
  }
  if (!S_ISREG(about.st_mode)) return std::unexpected(make_error(EINVAL, path_ + " is no file"));
  if (static_cast<std::uint64_t>(about.st_size) > most) {
    return std::unexpected(make_error(EFBIG, path_ + " is too large"));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(about.st_size));
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t wanted = std::min(kReadAtOnce, bytes.size() - done);
    const ssize_t got = ::read(file.get(), bytes.data() + done, wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(system_error(errno, "read " + path_));
    if (got == 0) bytes.resize(done);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<void> LinuxKeptFile::begin() {
  // One that was left half written, or that somebody else put there.
  (void)::unlinkat(directory_.get(), new_name().c_str(), 0);
  file_.reset(::openat(directory_.get(), new_name().c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file_) return std::unexpected(system_error(errno, "make " + path_ + ".new"));
  return {};
}

Result<void> LinuxKeptFile::append(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail("write ");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> LinuxKeptFile::finish() {
  if (::fsync(file_.get()) != 0) return fail("write ");
  file_.reset();
  if (::renameat(directory_.get(), new_name().c_str(), directory_.get(), name_.c_str()) != 0) {
    return fail("replace ");
  }
  (void)::fsync(directory_.get());
  return {};
}

std::unexpected<Error> LinuxKeptFile::fail(const char* attempted) {
  Error error = system_error(errno, attempted + path_);
  file_.reset();
  (void)::unlinkat(directory_.get(), new_name().c_str(), 0);
  return std::unexpected(std::move(error));
}

}  // namespace ferrule::io
