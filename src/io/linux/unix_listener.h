// Where programs of this machine connect to, on Linux: a socket of the AF_UNIX family that has a file.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "io/linux/fd.h"
#include "io/stream.h"

namespace ferrule::io {

/// A listening socket and the watch on its file. Removes the file when it goes, if it is still its
/// own.
class UnixListener final : public Listener {
 public:
  /// As listen_at (stream.h).
  [[nodiscard]] static Result<std::unique_ptr<UnixListener>> listen(const std::string& path);
  /// Takes over a listening descriptor, whose file, if it has one that is not known to be another, is `path`.
  [[nodiscard]] static Result<std::unique_ptr<UnixListener>> adopt(UniqueFd fd,
                                                                   const std::string& path);
  ~UnixListener() override;

  [[nodiscard]] std::unique_ptr<Stream> accept() override;
  [[nodiscard]] Waitable waitable() const noexcept override { return Waitable(listener_.get()); }
  [[nodiscard]] Waitable place_waitable() const noexcept override { return Waitable(watch_.get()); }
  [[nodiscard]] bool is_gone() override;

 private:
  UnixListener(UniqueFd listener, std::string path) noexcept
      : listener_(std::move(listener)), path_(std::move(path)) {}
  void watch();
  [[nodiscard]] bool is_own_file() const;

  UniqueFd listener_;
  UniqueFd watch_;  // on the folder
  std::string path_;
  unsigned long inode_ = 0;  // of the file; 0: none is watched
};

}  // namespace ferrule::io
