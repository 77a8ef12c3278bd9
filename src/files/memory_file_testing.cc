#include "files/memory_file_testing.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace ferrule::files {

MemoryFile::MemoryFile(std::string_view content) : fd_(memfd_create("test", MFD_CLOEXEC)) {
  FERRULE_CHECK(fd_ >= 0);
  FERRULE_CHECK(fchmod(fd_, 0600) == 0);
  const auto size = static_cast<ssize_t>(content.size());
  FERRULE_CHECK(write(fd_, content.data(), content.size()) == size);
  FERRULE_CHECK(lseek(fd_, 0, SEEK_SET) == 0);
}

MemoryFile::~MemoryFile() { close(fd_); }

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

std::string MemoryFile::content() const {
  std::string text;
  char piece[4096];
  while (true) {
    const ssize_t got = pread(fd_, piece, sizeof piece, static_cast<off_t>(text.size()));
    FERRULE_CHECK(got >= 0);
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

}  // namespace ferrule::files
