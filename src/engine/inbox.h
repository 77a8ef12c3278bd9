// What lanes have to say to the control thread, but for handshake messages (handshake_intake.h).
#pragma once

#include <atomic>
#include <functional>
#include <new>
#include <utility>

#include "engine/mutex.h"
#include "protocol/batch.h"

namespace ferrule::engine {

/// Thread-safe. `wake` is called when there is something after there was nothing; it must not block
/// and must not call back.
class Inbox {
 public:
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// Moves the peers of `attention` over and leaves it empty, with its room. Without memory it stays as
  /// it is, for the next call.
  void post(protocol::Attention& attention) noexcept {
    if (attention.empty()) return;
    try {
      MutexLock lock(mutex_);
      attention_.insert(attention_.end(), attention.begin(), attention.end());
    } catch (const std::bad_alloc&) {
      return;
    }
    attention.clear();
    rouse();
  }

  void socket_died() noexcept {
    socket_died_.store(true);
    rouse();
  }
  void tun_failed() noexcept {
    tun_failed_.store(true);
    rouse();
  }

  // --- control thread ---

  /// Call before taking: what comes afterwards wakes again.
  void settle() noexcept { roused_.store(false, std::memory_order_seq_cst); }
  void take(protocol::Attention& out) {
    out.clear();
    MutexLock lock(mutex_);
    std::swap(out, attention_);
  }
  [[nodiscard]] bool take_socket_died() noexcept { return socket_died_.exchange(false); }
  [[nodiscard]] bool take_tun_failed() noexcept { return tun_failed_.exchange(false); }
  /// Has the control thread come round again although nobody posted anything.
  void rouse() noexcept {
    if (!roused_.exchange(true, std::memory_order_seq_cst)) wake_();
  }

 private:
  Mutex mutex_;
  protocol::Attention attention_ FERRULE_GUARDED_BY(mutex_);
  std::atomic<bool> socket_died_{false};
  std::atomic<bool> tun_failed_{false};
  std::atomic<bool> roused_{false};
  std::function<void()> wake_;
};

}  // namespace ferrule::engine
