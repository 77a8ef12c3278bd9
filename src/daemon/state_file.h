// A state file on disk: read whole, replaced whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/blake2s.h"
#include "io/linux/fd.h"

namespace ferrule::daemon {

/// A file in its folder, which stays open: nothing else is opened by a path later (sandbox.h).
class StateFile {
 public:
  /// Makes the folder (0700) where only that is missing.
  [[nodiscard]] static Result<StateFile> open(const std::string& path);

  /// The file's bytes, at most `most`; none when there is no file.
  [[nodiscard]] Result<std::optional<std::vector<std::uint8_t>>> read(std::size_t most) const;
  [[nodiscard]] int directory() const noexcept { return directory_.get(); }

  /// A new file beside the old one, 0600. `finish` adds the checksum and puts it in the old one's
  /// place, on the disk too; until then, and after any Error, the old one is as it was.
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> append(Bytes bytes);
  [[nodiscard]] Result<void> finish();

 private:
  StateFile(io::UniqueFd directory, std::string path, std::string name)
      : directory_(std::move(directory)), path_(std::move(path)), name_(std::move(name)) {}
  [[nodiscard]] Result<void> write_all(Bytes bytes);
  [[nodiscard]] std::string new_name() const { return name_ + ".new"; }
  [[nodiscard]] std::unexpected<Error> fail(const char* attempted);

  io::UniqueFd directory_;
  std::string path_;
  std::string name_;
  io::UniqueFd file_;  // being written
  std::unique_ptr<crypto::Blake2s> hash_;
};

}  // namespace ferrule::daemon
