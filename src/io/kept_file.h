// A file that is read whole and replaced whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace ferrule::io {

/// For its owner alone. For one thread at a time, which may wait for the disk.
class KeptFile {
 public:
  virtual ~KeptFile() = default;

  /// As people know it.
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  /// The file's bytes, at most `most`; none when there is no file.
  [[nodiscard]] virtual Result<std::optional<std::vector<std::uint8_t>>> read(
      std::size_t most) const = 0;

  /// A new file beside the old one. `finish` puts it in the old one's place, on the disk too; until then,
  /// and after any Error, the old one is as it was.
  [[nodiscard]] virtual Result<void> begin() = 0;
  [[nodiscard]] virtual Result<void> append(Bytes bytes) = 0;
  [[nodiscard]] virtual Result<void> finish() = 0;
};

}  // namespace ferrule::io
