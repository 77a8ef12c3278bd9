// Kept files on Linux.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "io/kept_file.h"
#include "io/linux/fd.h"

namespace ferrule::io {

/// A file (0600) in its folder, which stays open: nothing else is opened by a path later, as a sandbox
/// wants it.
class LinuxKeptFile final : public KeptFile {
 public:
  /// Makes the folder (0700) where only that is missing.
  [[nodiscard]] static Result<std::unique_ptr<LinuxKeptFile>> open(const std::string& path);

  [[nodiscard]] int directory() const noexcept { return directory_.get(); }

  [[nodiscard]] const std::string& name() const noexcept override { return path_; }
  [[nodiscard]] Result<std::optional<std::vector<std::uint8_t>>> read(
      std::size_t most) const override;
  [[nodiscard]] Result<void> begin() override;
  [[nodiscard]] Result<void> append(Bytes bytes) override;
  [[nodiscard]] Result<void> finish() override;

 private:
  LinuxKeptFile(UniqueFd directory, std::string path, std::string name)
      : directory_(std::move(directory)), path_(std::move(path)), name_(std::move(name)) {}
  [[nodiscard]] std::string new_name() const { return name_ + ".new"; }
  [[nodiscard]] std::unexpected<Error> fail(const char* attempted);

  UniqueFd directory_;
  std::string path_;
  std::string name_;
  UniqueFd file_;  // being written
};

}  // namespace ferrule::io
