#include "files/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace ferrule::files {

namespace {
constexpr std::size_t kPieceBytes = 65536;
}

void Output::write(std::string_view text) {
  if (fd_ == kNowhere) {
    text_.append(text);
    return;
  }
  if (text_.size() + text.size() >= kPieceBytes) flush();
  // A large text is not copied first.
  text.size() >= kPieceBytes ? send(text) : text_.append(text);
}

int Output::flush() {
  send(text_.view());
  text_.rewind();
  return error_;
}

void Output::send(std::string_view text) {
  while (!text.empty() && error_ == 0) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
}

}  // namespace ferrule::files
