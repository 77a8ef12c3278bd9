// A kept file that ends with a checksum of all that stands before it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/blake2s.h"
#include "io/kept_file.h"

namespace ferrule::service {

/// What is read has the checksum still: whoever parses it compares.
class CheckedFile {
 public:
  explicit CheckedFile(std::unique_ptr<io::KeptFile> file) noexcept : file_(std::move(file)) {}

  [[nodiscard]] Result<std::optional<std::vector<std::uint8_t>>> read(std::size_t most) const {
    return file_->read(most);
  }
  [[nodiscard]] Result<void> begin() {
    hash_ = std::make_unique<crypto::Blake2s>();
    return file_->begin();
  }
  [[nodiscard]] Result<void> append(Bytes bytes) {
    hash_->update(bytes);
    return file_->append(bytes);
  }
  [[nodiscard]] Result<void> finish() {
    crypto::Hash hash;
    hash_->finish(hash);
    if (Result<void> written = file_->append(hash); !written) return written;
    return file_->finish();
  }

 private:
  std::unique_ptr<io::KeptFile> file_;
  std::unique_ptr<crypto::Blake2s> hash_;  // of the file that is being written
};

}  // namespace ferrule::service
