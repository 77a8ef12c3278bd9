// Handshake messages on their way from the sockets to the control thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/mutex.h"
#include "protocol/handshake_queue.h"

namespace ferrule::engine {

class HandshakeDoor;

/// A bounded queue, and when it is looked at. Lanes post to it, and so does a door of its own where the
/// system tells handshakes from data, which the control thread itself reads.
///
/// A batch of handshakes costs a fifth a message of what one alone does, and one wake-up instead of many:
/// under a flood it pays to let them gather. One that comes alone does not wait.
class HandshakeIntake {
 public:
  /// `salt` is random. `rouse` has the control thread come round; it must not block nor call back.
  HandshakeIntake(std::uint64_t salt, std::function<void()> rouse)
      : queue_(salt), rouse_(std::move(rouse)) {}

  /// Drop::none when the message was queued. Rouses at once, but not while messages gather. Any thread.
  [[nodiscard]] protocol::Drop post(Instant now,
                                    const protocol::HandshakeMessage& message) noexcept;

  // --- control thread ---

  /// From now on `door` is read, and listens, as messages are wanted. Null: none.
  void attach(HandshakeDoor* door) noexcept { door_ = door; }
  /// When a batch is due, reads the door and moves one into `out`, which has room for kHandshakesTogether.
  /// If that is not empty, further messages gather: for a while, or until they make a full batch.
  void fetch(const Now& now, std::vector<protocol::ReceivedHandshake>& out) noexcept;
  /// What came of those that were fetched.
  void learn(const protocol::OpenedHandshakes& opened) noexcept {
    MutexLock lock(mutex_);
    queue_.learn(opened);
  }
  /// At the end of a turn: the door listens again, unless messages gather.
  void rest() noexcept;
  /// When `fetch` is wanted next though nobody is roused.
  [[nodiscard]] std::optional<Instant> next_deadline() noexcept;
  /// Whether so many wait that load is known of, and that reading more is not what is wanted next.
  [[nodiscard]] bool has_enough() noexcept;

 private:
  static constexpr Duration kGather = 1ms;
  static constexpr std::size_t kEnough = 2 * protocol::kUnderLoadAt;

  // What is done with a message that comes. From `fetching`, nothing follows but one of the other two.
  enum class State : std::uint8_t {
    open,       // it rouses
    fetching,   // the control thread is about to take it
    gathering,  // it waits until there is a full batch, or until `gather_until_`
  };
  [[nodiscard]] bool begin(Instant now) noexcept;

  Mutex mutex_;
  protocol::HandshakeQueue queue_ FERRULE_GUARDED_BY(mutex_);
  State state_ FERRULE_GUARDED_BY(mutex_) = State::open;
  Instant gather_until_ FERRULE_GUARDED_BY(mutex_);
  std::function<void()> rouse_;
  HandshakeDoor* door_ = nullptr;
};

}  // namespace ferrule::engine
