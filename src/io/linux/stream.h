// Streams on Linux: sockets of the AF_UNIX family.
#pragma once

#include <utility>

#include "io/linux/fd.h"
#include "io/stream.h"

namespace ferrule::io {

/// Owns a connected, non-blocking socket.
class LinuxStream final : public Stream {
 public:
  explicit LinuxStream(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  [[nodiscard]] Carried receive(MutBytes room) noexcept override;
  [[nodiscard]] Carried send(Bytes bytes) noexcept override;
  [[nodiscard]] Waitable waitable() const noexcept override { return Waitable(fd_.get()); }

 private:
  UniqueFd fd_;
};

/// The next connection of a listening, non-blocking socket; null when none waits.
[[nodiscard]] std::unique_ptr<Stream> accept_stream(int listener_fd);

}  // namespace ferrule::io
