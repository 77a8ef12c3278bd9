// The door that handshake messages come in by, where the system tells them from data.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/fixed_vector.h"
#include "engine/doors.h"
#include "engine/inbound.h"
#include "engine/pump.h"
#include "engine/scratch.h"
#include "io/poller.h"

namespace ferrule::engine {

/// The control thread itself reads from it, so that a flood of handshakes passes the lanes by; when, its intake
/// decides. For that thread alone.
class HandshakeDoor {
 public:
  /// Where the thread waits for it.
  struct Watcher {
    io::Poller& poller;
    std::uint64_t tag;
  };
  /// `reader`: the thread's number as a reader of the tables.
  HandshakeDoor(Watcher watcher, const LaneParts& parts, std::size_t reader);

  /// Closes the one before.
  [[nodiscard]] Result<void> open(const UdpDoor& door);
  void close() noexcept;
  /// The poller has given the tag.
  void became_readable() noexcept {
    if (state_ == State::listening) state_ = State::readable;
  }

  /// Moves what has come to the intake, until that has enough, and data, which may be among it, to the
  /// tunnel interface. Then it is silent, whatever comes, until listen().
  void read(const Now& now) noexcept;
  void listen() noexcept;

 private:
  // Junk is not queued, and must not keep the thread from all else.
  static constexpr std::size_t kBatchesAtOnce = 32;

  // In this order, and round again from `silent` to `listening`; closed from any.
  enum class State : std::uint8_t {
    closed,
    listening,  // something that comes is told, once
    readable,   // that was told
    silent,     // it was read, and perhaps something has come since
  };

  Watcher watcher_;
  HandshakeIntake& intake_;
  Inbound inbound_;
  Scratch scratch_;
  std::size_t reader_;
  FixedVector<io::Waitable, 2> waitables_;  // none while it is closed
  State state_ = State::closed;
};

}  // namespace ferrule::engine
