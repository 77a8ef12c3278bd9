// What lanes have to say to the control thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "engine/mutex.h"
#include "protocol/device.h"

namespace ferrule::engine {

/// Thread-safe. `wake` is called when there is something after there was nothing; it must not block
/// and must not call back.
class Inbox {
 public:
  Inbox(std::uint64_t salt, std::function<void()> wake) : queue_(salt), wake_(std::move(wake)) {}

  /// Moves the peers of `attention` over and leaves it empty, with its room.
  void post(protocol::Attention& attention) {
    if (attention.empty()) return;
    {
      MutexLock lock(mutex_);
      attention_.insert(attention_.end(), attention.begin(), attention.end());
    }
    attention.clear();
    rouse();
  }

  /// Drop::none when the message was queued.
  [[nodiscard]] protocol::Drop post(Instant now, const protocol::HandshakeMessage& message) {
    protocol::Drop drop = protocol::Drop::no_resources;
    try {
      MutexLock lock(mutex_);
      drop = queue_.push(now, message);
    } catch (const std::bad_alloc&) {
      // Under a flood without memory, the message is what can be spared (P35).
    }
    if (drop == protocol::Drop::none) rouse();
    return drop;
  }

  void socket_died() noexcept {
    socket_died_.store(true);
    rouse();
  }
  void tun_gone() noexcept {
    tun_gone_.store(true);
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
  /// Appends at most `count` messages to `out`. True when there may be more.
  [[nodiscard]] bool pop(Instant now, std::size_t count,
                         std::vector<protocol::ReceivedHandshake>& out) {
    MutexLock lock(mutex_);
    for (; count > 0; --count) {
      const std::optional<protocol::HandshakeMessage> message = queue_.pop(now);
      if (!message) return false;
      out.push_back({*message, queue_.under_load(now, message->from.address)});
    }
    return true;
  }
  [[nodiscard]] bool take_socket_died() noexcept { return socket_died_.exchange(false); }
  [[nodiscard]] bool is_tun_gone() const noexcept { return tun_gone_.load(); }
  /// Has the control thread come round again although nobody posted anything.
  void rouse() noexcept {
    if (!roused_.exchange(true, std::memory_order_seq_cst)) wake_();
  }

 private:
  Mutex mutex_;
  protocol::HandshakeQueue queue_ FERRULE_GUARDED_BY(mutex_);
  protocol::Attention attention_ FERRULE_GUARDED_BY(mutex_);
  std::atomic<bool> socket_died_{false};
  std::atomic<bool> tun_gone_{false};
  std::atomic<bool> roused_{false};
  std::function<void()> wake_;
};

}  // namespace ferrule::engine
