// Writes state files in a thread of its own: a disk may take as long as it likes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "service/checked_file.h"

namespace ferrule::service {

/// For one thread, which hands over a file in chunks and never waits. Holds two chunks at most.
class StateWriter {
 public:
  StateWriter() noexcept = default;
  /// A thread that hangs in the disk is left behind; it ends with the process.
  ~StateWriter();
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;

  /// `wake` is called by the thread when it takes more, or is done.
  [[nodiscard]] Result<void> start(CheckedFile file, std::function<void()> wake);

  /// Whether it takes a chunk now.
  [[nodiscard]] bool takes_more();
  /// The next chunk of a file; the first one begins it.
  void give(std::vector<std::uint8_t> chunk, bool last);
  /// What became of the file whose last chunk was given. Told once.
  [[nodiscard]] std::optional<Result<void>> outcome();
  /// Waits for at most so long until it takes more or, after the last chunk, until it is done.
  void wait(Duration at_most);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace ferrule::service
