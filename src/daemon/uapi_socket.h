// The UAPI socket's file: made, taken over, watched, removed (P100, P103).
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "io/linux/fd.h"
#include "io/stream.h"

namespace ferrule::daemon {

inline constexpr const char* kUapiSocketDirectory = "/var/run/wireguard";

/// "/var/run/wireguard/<interface>.sock".
[[nodiscard]] std::string uapi_socket_path(const std::string& interface,
                                           const std::string& directory = kUapiSocketDirectory);

/// A listening socket and the watch on its file. Removes the file when it goes, if it is still its
/// own.
class UapiSocket final : public io::Listener {
 public:
  /// Creates the file with mode 0600. The file of a dead process is replaced; that of a live one is
  /// an Error of EADDRINUSE that says so. Of several that start at the same time, one succeeds.
  [[nodiscard]] static Result<UapiSocket> listen(
      const std::string& interface, const std::string& directory = kUapiSocketDirectory);
  /// Takes over a listening descriptor (WG_UAPI_FD).
  [[nodiscard]] static Result<UapiSocket> adopt(io::UniqueFd fd, const std::string& interface);

  UapiSocket(UapiSocket&&) = default;
  UapiSocket& operator=(UapiSocket&&) = delete;
  ~UapiSocket() override;

  [[nodiscard]] int poll_fd() const noexcept { return listener_.get(); }
  /// Readable when something happened in the socket's folder: then ask `removed`.
  [[nodiscard]] int watch_fd() const noexcept { return watch_.get(); }
  /// Whether the file has gone or is another one.
  [[nodiscard]] bool removed();
  [[nodiscard]] std::unique_ptr<io::Stream> accept() override;

 private:
  UapiSocket(io::UniqueFd listener, std::string directory, std::string path) noexcept
      : listener_(std::move(listener)), directory_(std::move(directory)), path_(std::move(path)) {}
  void watch();
  [[nodiscard]] bool is_own_file() const;

  io::UniqueFd listener_;
  io::UniqueFd watch_;
  std::string directory_;
  std::string path_;
  unsigned long inode_ = 0;
};

}  // namespace ferrule::daemon
