// Keeps what a device should know again after a restart, in a state file: when it is written, and what
// is believed of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/time.h"
#include "control/state_format.h"
#include "protocol/device.h"
#include "service/checked_file.h"
#include "service/state_writer.h"

namespace ferrule::service {

// --- Bounds ---
constexpr Duration kStateWriteEvery = 5s;  // at most that often, when something has changed
constexpr Duration kStateRetryAfter = 60s;
// What a file costs: the next one waits for as long as the last one takes at this rate.
constexpr std::size_t kStateBytesPerSecond = 1 << 20;
constexpr std::size_t kStatePeersATurn = 256;  // looked at in one turn of the control thread
constexpr Duration kStateLastWriteWithin = 2s;
// Stamps are reserved so far ahead of a file, the last part for steps that are not the clock's (P29).
constexpr std::uint32_t kStampsAhead_s = 30;
constexpr std::uint32_t kStampsOfTheClockAhead_s = 20;
constexpr std::int64_t kForgetUnclaimedAfter_s = 30 * 86400;

/// For the control thread, which it never has wait but at the end.
class StateKeeper {
 public:
  /// Reads `file`, if it could be opened, and reserves stamps by writing it anew. What is wrong is said in the log and
  /// stops nothing. Call before the sandbox and `start`. `now` is the time of start.
  StateKeeper(Result<std::unique_ptr<io::KeptFile>> file, Log& log, const Now& now);

  /// Gives the device what was read. Before anything is applied to it.
  void fill(protocol::Device& device);
  /// Starts the thread that writes. `wake` is called by it, and has the control thread call `work`.
  void start(std::function<void()> wake);

  [[nodiscard]] std::optional<Instant> next_deadline(const protocol::Device& device) const noexcept;
  void work(const Now& now, protocol::Device& device);
  /// The last words of a device. Waits for the disk, but not for long.
  void finish(const Now& now, protocol::Device& device);

 private:
  void read(const Now& now);
  void reserve(const Now& now);
  [[nodiscard]] bool is_due(const protocol::Device& device) const noexcept;
  void hear_outcome(const Now& now, protocol::Device& device);
  bool begin(const Now& now, protocol::Device& device, bool is_end);
  void give_chunk(const Now& now, const protocol::Device& device);
  void tell(const Error& error);

  // A file that is being handed over.
  struct Writing {
    protocol::Device::MemoryCursor cursor;
    std::vector<std::uint8_t> header;  // until the first chunk
    std::size_t records = 0;
    std::size_t bytes = 0;
    std::uint64_t changes = 0;
    protocol::Timestamp limit{};
    bool given = false;  // all of it
  };

  std::string name_;  // of the file
  Log& log_;
  std::optional<CheckedFile> file_;      // until it is the writer's
  std::optional<control::State> state_;  // as it was read
  std::optional<protocol::Timestamp> limit_;
  StateWriter writer_;
  bool started_ = false;
  std::optional<Writing> writing_;
  std::uint64_t written_changes_ = 0;
  Instant not_before_;
  bool foreign_told_ = false;
  std::string told_;  // the last fault
};

}  // namespace ferrule::service
