// The door that handshake messages come in by, where the system tells them from data.
#pragma once

#include <cstddef>

#include "base/fixed_vector.h"
#include "engine/doors.h"
#include "engine/lane.h"
#include "engine/scratch.h"
#include "io/linux/event_loop.h"

namespace ferrule::engine {

/// The control thread itself reads from it, so that a flood of handshakes passes the lanes by. For that
/// thread alone.
class HandshakeDoor {
 public:
  /// `events`: where it waits. `reader`: the thread's number as a reader of the tables.
  HandshakeDoor(io::Epoll events, const Lane::Parts& parts, std::size_t reader);

  /// Closes the one before.
  [[nodiscard]] Result<void> open(const UdpDoor& door);
  void close() noexcept;
  /// Whether it has something to read, after listen().
  [[nodiscard]] int poll_fd() const noexcept { return events_.poll_fd(); }

  /// Moves what has come to the inbox, up to its kEnoughHandshakes, and data, which may be among it, to
  /// the tunnel interface. Then it is silent, whatever comes, until listen().
  void read(const Now& now) noexcept;
  void listen() noexcept;

 private:
  // Junk is not queued, and must not keep the thread from all else.
  static constexpr std::size_t kBatchesAtOnce = 32;

  bool has_come();

  io::Epoll events_;
  Inbox& inbox_;
  Lane lane_;  // inwards only
  Scratch scratch_;
  std::size_t reader_;
  FixedVector<int, 2> fds_;  // none: closed
  bool listening_ = false;
};

}  // namespace ferrule::engine
