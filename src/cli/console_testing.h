// Runs `ferrule` within a test, on input and output that are memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ferrule::cli {

struct Answer {
  int status = 0;
  std::string out;
  std::string err;
};

/// What `words` prints and returns when given `input`, called by the name `program`.
[[nodiscard]] Answer ask(const std::vector<std::string>& words, std::string_view input = {},
                         const std::string& program = "ferrule");

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

}  // namespace ferrule::cli
