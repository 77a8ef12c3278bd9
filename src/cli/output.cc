#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace ferrule::cli {

namespace {
constexpr std::size_t kPieceBytes = 65536;
}

void Output::write(std::string_view text) {
  text_.append(text);
  if (text_.size() >= kPieceBytes) flush();
}

int Output::flush() {
  std::string_view left = text_.view();
  while (!left.empty() && error_ == 0) {
    const ssize_t written = ::write(fd_, left.data(), left.size());
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  text_.rewind();
  return error_;
}

}  // namespace ferrule::cli
