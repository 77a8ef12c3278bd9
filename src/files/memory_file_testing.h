// Files of tests that are nowhere on the disk.
#pragma once

#include <string>
#include <string_view>

namespace ferrule::files {

/// A file in memory, and the path by which it can be opened. Closed at the end of its life.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content = {});
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] std::string path() const;
  [[nodiscard]] std::string content() const;

 private:
  int fd_;
};

}  // namespace ferrule::files
